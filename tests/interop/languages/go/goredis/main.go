// The scenario with go-redis.
package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	. "scenario/steps"

	"github.com/redis/go-redis/v9"
)

var (
	ctx = context.Background()
	r   = client(redis.Options{})
)

func client(options redis.Options) *redis.Client {
	if options.Addr == "" {
		options.Addr = Address("REDIS_PORT")
	}
	return redis.NewClient(&options)
}

func stringsStep() {
	Check(r.FlushAll(ctx).Err())
	odd := Odd()
	Check(r.Set(ctx, odd, odd, 0).Err())
	Same(Must(r.Get(ctx, odd).Result()), odd)
	Check(r.Set(ctx, "empty", "", 0).Err())
	Same(Must(r.Get(ctx, "empty").Result()), "")
	big := strings.Repeat("x", 1_000_000)
	Check(r.Set(ctx, "big", big, 0).Err())
	Same(Must(r.Get(ctx, "big").Result()), big)
	Check(r.Set(ctx, "text", Text, 0).Err())
	Same(Must(r.Get(ctx, "text").Result()), Text)
	Same(Must(r.StrLen(ctx, "text").Result()), int64(12))
	Check(r.MSet(ctx, "a", 1, "b", 2).Err())
	Same(Must(r.MGet(ctx, "a", "none", "b").Result()), []any{"1", nil, "2"})
	Same(Must(r.IncrBy(ctx, "a", 41).Result()), int64(42))
	Fails(r.Incr(ctx, "text").Err(), "ERR value is not an integer")
	Same(Must(r.Append(ctx, "b", "34").Result()), int64(3))
	Same(Must(r.GetRange(ctx, "b", 1, -1).Result()), "34")
}

func expiry() {
	Check(r.Set(ctx, "e", 1, time.Minute).Err())
	left := Must(r.PTTL(ctx, "e").Result())
	True(left > 0 && left <= time.Minute, left.String())
	Same(Must(r.Persist(ctx, "e").Result()), true)
	Same(Must(r.TTL(ctx, "e").Result()), time.Duration(-1))
	Check(r.Expire(ctx, "e", 100*time.Second).Err())
	left = Must(r.TTL(ctx, "e").Result())
	True(left >= 99*time.Second && left <= 100*time.Second, left.String())
	Same(Must(r.TTL(ctx, "none").Result()), time.Duration(-2))
	Check(r.Set(ctx, "short", "x", 30*time.Millisecond).Err())
	time.Sleep(60 * time.Millisecond)
	Same(r.Get(ctx, "short").Err(), redis.Nil)
	Same(Must(r.SetNX(ctx, "e", 2, 0).Result()), false)
	Same(Must(r.GetDel(ctx, "e").Result()), "1")
}

func hashes() {
	Same(Must(r.HSet(ctx, "h", "f1", "v1", "f2", "\x00\xff").Result()), int64(2))
	Same(Must(r.HGetAll(ctx, "h").Result()), map[string]string{"f1": "v1", "f2": "\x00\xff"})
	Same(Must(r.HIncrBy(ctx, "h", "n", 5).Result()), int64(5))
	Same(Must(r.HIncrByFloat(ctx, "h", "n", 0.5).Result()), 5.5)
	Same(Must(r.HMGet(ctx, "h", "f1", "none").Result()), []any{"v1", nil})
	Same(Must(r.HExists(ctx, "h", "none").Result()), false)
	Same(Must(r.HDel(ctx, "h", "f1", "none").Result()), int64(1))
	Same(Must(r.HLen(ctx, "h").Result()), int64(2))
}

func sortedSets() {
	members := []redis.Z{{Score: 1, Member: "one"}, {Score: 2.5, Member: "two"}, {Score: math.Inf(1), Member: "top"}}
	Same(Must(r.ZAdd(ctx, "z", members...).Result()), int64(3))
	Same(Must(r.ZRangeWithScores(ctx, "z", 0, -1).Result()), members)
	Same(Must(r.ZRangeByScore(ctx, "z", &redis.ZRangeBy{Min: "(1", Max: "+inf"}).Result()), []string{"two", "top"})
	Same(Must(r.ZIncrBy(ctx, "z", 10, "one").Result()), 11.0)
	Same(Must(r.ZRank(ctx, "z", "one").Result()), int64(1))
	Same(r.ZRank(ctx, "z", "none").Err(), redis.Nil)
	Same(Must(r.ZScore(ctx, "z", "two").Result()), 2.5)
	Same(Must(r.ZPopMin(ctx, "z").Result()), members[1:2])
	Same(Must(r.ZCard(ctx, "z").Result()), int64(2))
}

func streams() {
	Check(r.XGroupCreateMkStream(ctx, "s", "g", "0").Err())
	ids := map[string]bool{}
	var order []string
	for n := 1; n <= 3; n++ {
		id := Must(r.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []any{"n", n}}).Result())
		ids[id] = true
		order = append(order, id)
	}
	Same(len(ids), 3)
	Same(Must(r.XLen(ctx, "s").Result()), int64(3))
	read := Must(r.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "alice", Streams: []string{"s", ">"}, Count: 2}).Result())
	Same(len(read), 1)
	for n, entry := range read[0].Messages {
		Same(entry.ID, order[n])
		Same(entry.Values, map[string]any{"n": fmt.Sprint(n + 1)})
	}
	Same(len(read[0].Messages), 2)
	Same(Must(r.XPending(ctx, "s", "g").Result()).Count, int64(2))
	Same(Must(r.XAck(ctx, "s", "g", order[0]).Result()), int64(1))
	claimed := Must(r.XClaim(ctx, &redis.XClaimArgs{Stream: "s", Group: "g", Consumer: "bob", Messages: order[1:2]}).Result())
	Same(claimed[0].Values, map[string]any{"n": "2"})
	Same(len(Must(r.XRange(ctx, "s", "-", "+").Result())), 3)
	Fails(r.XGroupCreate(ctx, "s", "g", "0").Err(), "BUSYGROUP")
}

func scan() {
	var pairs []any
	for n := range 500 {
		pairs = append(pairs, fmt.Sprint("scan:", n), n)
	}
	Check(r.MSet(ctx, pairs...).Err())
	found := map[string]bool{}
	keys := r.Scan(ctx, 0, "scan:*", 50).Iterator()
	for keys.Next(ctx) {
		found[keys.Val()] = true
	}
	Check(keys.Err())
	Same(len(found), 500)
}

func pipeline() {
	pipe := r.Pipeline()
	for range 500 {
		pipe.Incr(ctx, "p")
	}
	pipe.LPush(ctx, "p", "x")
	last := pipe.Incr(ctx, "p")
	replies, err := pipe.Exec(ctx)
	Fails(err, "WRONGTYPE")
	Fails(replies[500].Err(), "WRONGTYPE")
	Same(Must(last.Result()), int64(501))
}

func transaction() {
	pipe := r.TxPipeline()
	set, incr := pipe.Set(ctx, "t", 1, 0), pipe.Incr(ctx, "t")
	Must(pipe.Exec(ctx))
	Same(set.Val(), "OK")
	Same(incr.Val(), int64(2))
	err := r.Watch(ctx, func(tx *redis.Tx) error {
		Check(r.Set(ctx, "t", 10, 0).Err())
		_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			return pipe.Set(ctx, "t", 0, 0).Err()
		})
		return err
	}, "t")
	Same(err, redis.TxFailedErr)
	Same(Must(r.Get(ctx, "t").Result()), "10")
}

func script() {
	Same(Must(r.Eval(ctx, Script, []string{"k"}, "v").Result()), []any{"k", "v", int64(7), []any{"x"}})
	Fails(r.EvalSha(ctx, strings.Repeat("0", 40), nil).Err(), "NOSCRIPT")
	sha := Must(r.ScriptLoad(ctx, Increment).Result())
	for _, wanted := range []int64{3, 6} {
		Same(Must(r.EvalSha(ctx, sha, []string{"counter"}, 3).Int64()), wanted)
	}
	Fails(r.Eval(ctx, OwnError, nil).Err(), "MINE")
	Same(Must(redis.NewScript(Increment+" ").Run(ctx, r, []string{"counter"}, 4).Int64()), int64(10))
}

func pubsub() {
	listener := r.Subscribe(ctx, "news")
	defer listener.Close()
	Must(listener.Receive(ctx))
	Check(listener.PSubscribe(ctx, "n*s"))
	Must(listener.Receive(ctx))
	Same(Must(r.Publish(ctx, "news", "\x00hello").Result()), int64(2))
	for _, pattern := range []string{"", "n*s"} {
		message, err := listener.ReceiveTimeout(ctx, 10*time.Second)
		Check(err)
		Same(message, &redis.Message{Channel: "news", Pattern: pattern, Payload: "\x00hello"})
	}
}

func blocking() {
	Same(r.BLPop(ctx, time.Second, "idle").Err(), redis.Nil)
	go func() {
		time.Sleep(50 * time.Millisecond)
		r.LPush(ctx, "queue", "job")
	}()
	Same(Must(r.BLPop(ctx, 5*time.Second, "queue").Result()), []string{"queue", "job"})
}

func resp3() {
	three := client(redis.Options{Protocol: 3})
	defer three.Close()
	Check(three.HSet(ctx, "h3", "a", "1").Err())
	Check(three.ZAdd(ctx, "z3", redis.Z{Score: 1.5, Member: "m"}).Err())
	Same(Must(three.Do(ctx, "HGETALL", "h3").Result()), map[any]any{"a": "1"})
	Same(Must(three.Do(ctx, "ZSCORE", "z3", "m").Result()), 1.5)
	user := Must(three.Do(ctx, "ACL", "GETUSER", "app").Result())
	_, ok := user.(map[any]any)
	True(ok, "a user is no map")
	two := client(redis.Options{Protocol: 2})
	defer two.Close()
	Same(Must(two.Do(ctx, "HGETALL", "h3").Result()), []any{"a", "1"})
}

func tlsStep() {
	secure := client(redis.Options{Addr: Address("REDIS_TLS_PORT"), TLSConfig: TLS(true)})
	defer secure.Close()
	Same(Must(secure.Ping(ctx).Result()), "PONG")
	value := strings.Repeat("s", 100_000)
	Check(secure.Set(ctx, "secret", value, 0).Err())
	Same(Must(secure.Get(ctx, "secret").Result()), value)
	stranger := client(redis.Options{Addr: Address("REDIS_TLS_PORT"), TLSConfig: TLS(false), MaxRetries: -1})
	defer stranger.Close()
	True(stranger.Ping(ctx).Err() != nil, "a certificate of nobody was taken")
}

func acl() {
	app := client(redis.Options{Username: "app", Password: "sesame"})
	defer app.Close()
	Check(app.Set(ctx, "app:k", "v", 0).Err())
	Same(Must(app.Get(ctx, "app:k").Result()), "v")
	Fails(app.Get(ctx, "other").Err(), "NOPERM")
	wrong := client(redis.Options{Username: "app", Password: "wrong"})
	defer wrong.Close()
	Fails(wrong.Ping(ctx).Err(), "WRONGPASS")
}

func cluster() {
	if !HasCluster() {
		panic(NotHere("no cluster"))
	}
	many := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{Address("REDIS_CLUSTER_PORT")}})
	defer many.Close()
	for n := range 100 {
		Check(many.Set(ctx, fmt.Sprint("c:", n), n, 0).Err())
	}
	pipe := many.Pipeline()
	for n := range 100 {
		pipe.Get(ctx, fmt.Sprint("c:", n))
	}
	for n, reply := range Must(pipe.Exec(ctx)) {
		Same(reply.(*redis.StringCmd).Val(), fmt.Sprint(n))
	}
	Check(many.MSet(ctx, "{tag}a", 1, "{tag}b", 2).Err())
	Same(Must(many.MGet(ctx, "{tag}a", "{tag}b").Result()), []any{"1", "2"})
	Same(Must(many.Eval(ctx, Both, []string{"{tag}a", "{tag}b"}).Result()), []any{"1", "2"})
	seen := 0
	Check(many.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		seen++
		return node.Ping(ctx).Err()
	}))
	Same(seen, 3)
}

func main() {
	Run("github.com/redis/go-redis/v9", []Step{
		{"strings", stringsStep}, {"expiry", expiry}, {"hashes", hashes},
		{"sorted_sets", sortedSets}, {"streams", streams}, {"scan", scan},
		{"pipeline", pipeline}, {"transaction", transaction}, {"script", script},
		{"pubsub", pubsub}, {"blocking", blocking}, {"resp3", resp3}, {"tls", tlsStep},
		{"acl", acl}, {"cluster", cluster},
	})
}
