// The scenario with rueidis, which speaks RESP3 and caches what it reads by CLIENT TRACKING.
package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	. "scenario/steps"

	"github.com/redis/rueidis"
)

var (
	ctx = context.Background()
	r   = Must(client(rueidis.ClientOption{}))
	b   = r.B()
)

func client(option rueidis.ClientOption) (rueidis.Client, error) {
	if option.InitAddress == nil {
		option.InitAddress = []string{Address("REDIS_PORT")}
	}
	option.ForceSingleClient = !option.ShuffleInit
	option.ShuffleInit = false
	return rueidis.NewClient(option)
}

func do(command rueidis.Completed) rueidis.RedisResult { return r.Do(ctx, command) }

func text(command rueidis.Completed) string { return Must(do(command).ToString()) }

func number(command rueidis.Completed) int64 { return Must(do(command).AsInt64()) }

func stringsStep() {
	Check(do(b.Flushall().Build()).Error())
	odd := Odd()
	Check(do(b.Set().Key(odd).Value(odd).Build()).Error())
	Same(text(b.Get().Key(odd).Build()), odd)
	Check(do(b.Set().Key("empty").Value("").Build()).Error())
	Same(text(b.Get().Key("empty").Build()), "")
	big := strings.Repeat("x", 1_000_000)
	Check(do(b.Set().Key("big").Value(big).Build()).Error())
	Same(text(b.Get().Key("big").Build()), big)
	Check(do(b.Set().Key("text").Value(Text).Build()).Error())
	Same(text(b.Get().Key("text").Build()), Text)
	Same(number(b.Strlen().Key("text").Build()), int64(12))
	Check(do(b.Mset().KeyValue().KeyValue("a", "1").KeyValue("b", "2").Build()).Error())
	values := Must(do(b.Mget().Key("a", "none", "b").Build()).ToArray())
	Same(Must(values[0].ToString()), "1")
	Same(values[1].IsNil(), true)
	Same(Must(values[2].ToString()), "2")
	Same(number(b.Incrby().Key("a").Increment(41).Build()), int64(42))
	Fails(do(b.Incr().Key("text").Build()).Error(), "value is not an integer") // without ERR
	Same(number(b.Append().Key("b").Value("34").Build()), int64(3))
	Same(text(b.Getrange().Key("b").Start(1).End(-1).Build()), "34")
}

func expiry() {
	Check(do(b.Set().Key("e").Value("1").PxMilliseconds(60_000).Build()).Error())
	left := number(b.Pttl().Key("e").Build())
	True(left > 0 && left <= 60_000, "PTTL")
	Same(number(b.Persist().Key("e").Build()), int64(1))
	Same(number(b.Ttl().Key("e").Build()), int64(-1))
	Check(do(b.Expire().Key("e").Seconds(100).Build()).Error())
	left = number(b.Ttl().Key("e").Build())
	True(left == 99 || left == 100, "TTL")
	Same(number(b.Ttl().Key("none").Build()), int64(-2))
	Check(do(b.Set().Key("short").Value("x").PxMilliseconds(30).Build()).Error())
	time.Sleep(60 * time.Millisecond)
	True(rueidis.IsRedisNil(do(b.Get().Key("short").Build()).Error()), "not gone")
	True(rueidis.IsRedisNil(do(b.Set().Key("e").Value("2").Nx().Build()).Error()), "NX")
	Same(text(b.Getdel().Key("e").Build()), "1")
}

func hashes() {
	Same(number(b.Hset().Key("h").FieldValue().FieldValue("f1", "v1").FieldValue("f2", "\x00\xff").Build()), int64(2))
	Same(Must(do(b.Hgetall().Key("h").Build()).AsStrMap()), map[string]string{"f1": "v1", "f2": "\x00\xff"})
	Same(number(b.Hincrby().Key("h").Field("n").Increment(5).Build()), int64(5))
	Same(Must(do(b.Hincrbyfloat().Key("h").Field("n").Increment(0.5).Build()).AsFloat64()), 5.5)
	values := Must(do(b.Hmget().Key("h").Field("f1", "none").Build()).ToArray())
	Same(Must(values[0].ToString()), "v1")
	Same(values[1].IsNil(), true)
	Same(number(b.Hexists().Key("h").Field("none").Build()), int64(0))
	Same(number(b.Hdel().Key("h").Field("f1", "none").Build()), int64(1))
	Same(number(b.Hlen().Key("h").Build()), int64(2))
}

func sortedSets() {
	members := []rueidis.ZScore{{Member: "one", Score: 1}, {Member: "two", Score: 2.5}, {Member: "top", Score: math.Inf(1)}}
	add := b.Zadd().Key("z").ScoreMember()
	for _, each := range members {
		add = add.ScoreMember(each.Score, each.Member)
	}
	Same(number(add.Build()), int64(3))
	Same(Must(do(b.Zrange().Key("z").Min("0").Max("-1").Withscores().Build()).AsZScores()), members)
	Same(Must(do(b.Zrangebyscore().Key("z").Min("(1").Max("+inf").Build()).AsStrSlice()), []string{"two", "top"})
	Same(Must(do(b.Zincrby().Key("z").Increment(10).Member("one").Build()).AsFloat64()), 11.0)
	Same(number(b.Zrank().Key("z").Member("one").Build()), int64(1))
	True(rueidis.IsRedisNil(do(b.Zrank().Key("z").Member("none").Build()).Error()), "ZRANK")
	Same(Must(do(b.Zscore().Key("z").Member("two").Build()).AsFloat64()), 2.5)
	Same(Must(do(b.Zpopmin().Key("z").Build()).AsZScore()), members[1])
	Same(number(b.Zcard().Key("z").Build()), int64(2))
}

func streams() {
	Check(do(b.XgroupCreate().Key("s").Group("g").Id("0").Mkstream().Build()).Error())
	var ids []string
	for n := 1; n <= 3; n++ {
		ids = append(ids, text(b.Xadd().Key("s").Id("*").FieldValue().FieldValue("n", fmt.Sprint(n)).Build()))
	}
	True(ids[0] != ids[1] && ids[1] != ids[2], "IDs")
	Same(number(b.Xlen().Key("s").Build()), int64(3))
	read := Must(do(b.Xreadgroup().Group("g", "alice").Count(2).Streams().Key("s").Id(">").Build()).AsXRead())
	entry := func(n int) rueidis.XRangeEntry {
		return rueidis.XRangeEntry{ID: ids[n], FieldValues: map[string]string{"n": fmt.Sprint(n + 1)}}
	}
	Same(read, map[string][]rueidis.XRangeEntry{"s": {entry(0), entry(1)}})
	pending := Must(do(b.Xpending().Key("s").Group("g").Build()).ToArray())
	Same(Must(pending[0].AsInt64()), int64(2))
	Same(number(b.Xack().Key("s").Group("g").Id(ids[0]).Build()), int64(1))
	claim := b.Xclaim().Key("s").Group("g").Consumer("bob").MinIdleTime("0").Id(ids[1]).Build()
	Same(Must(do(claim).AsXRange()), []rueidis.XRangeEntry{entry(1)})
	Same(len(Must(do(b.Xrange().Key("s").Start("-").End("+").Build()).AsXRange())), 3)
	Fails(do(b.XgroupCreate().Key("s").Group("g").Id("0").Build()).Error(), "BUSYGROUP")
}

func scan() {
	set := b.Mset().KeyValue()
	for n := range 500 {
		set = set.KeyValue(fmt.Sprint("scan:", n), fmt.Sprint(n))
	}
	Check(do(set.Build()).Error())
	found := map[string]bool{}
	for cursor := uint64(0); ; {
		page := Must(do(b.Scan().Cursor(cursor).Match("scan:*").Count(50).Build()).AsScanEntry())
		for _, key := range page.Elements {
			found[key] = true
		}
		if cursor = page.Cursor; cursor == 0 {
			break
		}
	}
	Same(len(found), 500)
}

func pipeline() {
	var commands rueidis.Commands
	for range 500 {
		commands = append(commands, b.Incr().Key("p").Build())
	}
	commands = append(commands, b.Lpush().Key("p").Element("x").Build(), b.Incr().Key("p").Build())
	replies := r.DoMulti(ctx, commands...)
	Fails(replies[500].Error(), "WRONGTYPE")
	Same(Must(replies[501].AsInt64()), int64(501))
}

func transaction() {
	set := func(value string) rueidis.Completed { return b.Set().Key("t").Value(value).Build() }
	replies := r.DoMulti(ctx, b.Multi().Build(), set("1"), b.Incr().Key("t").Build(), b.Exec().Build())
	done := Must(replies[3].ToArray())
	Same(Must(done[0].ToString()), "OK")
	Same(Must(done[1].AsInt64()), int64(2))
	Check(r.Dedicated(func(own rueidis.DedicatedClient) error {
		Check(own.Do(ctx, b.Watch().Key("t").Build()).Error())
		Check(do(set("10")).Error())
		replies := own.DoMulti(ctx, b.Multi().Build(), set("0"), b.Exec().Build())
		True(rueidis.IsRedisNil(replies[2].Error()), "it was done")
		return nil
	}))
	Same(text(b.Get().Key("t").Build()), "10")
}

func script() {
	reply := Must(do(b.Eval().Script(Script).Numkeys(1).Key("k").Arg("v").Build()).ToAny())
	Same(reply, []any{"k", "v", int64(7), []any{"x"}})
	Fails(do(b.Evalsha().Sha1(strings.Repeat("0", 40)).Numkeys(0).Build()).Error(), "NOSCRIPT")
	sha := text(b.ScriptLoad().Script(Increment).Build())
	for _, wanted := range []int64{3, 6} {
		Same(number(b.Evalsha().Sha1(sha).Numkeys(1).Key("counter").Arg("3").Build()), wanted)
	}
	Fails(do(b.Eval().Script(OwnError).Numkeys(0).Build()).Error(), "MINE")
	Same(Must(rueidis.NewLuaScript(Increment+" ").Exec(ctx, r, []string{"counter"}, []string{"4"}).AsInt64()), int64(10))
}

func pubsub() {
	own, release := r.Dedicate()
	defer release()
	heard := make(chan rueidis.PubSubMessage, 2)
	own.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { heard <- m }})
	Check(own.Do(ctx, b.Subscribe().Channel("news").Build()).Error())
	Check(own.Do(ctx, b.Psubscribe().Pattern("n*s").Build()).Error())
	Same(number(b.Publish().Channel("news").Message("\x00hello").Build()), int64(2))
	for _, pattern := range []string{"", "n*s"} {
		select {
		case got := <-heard:
			Same(got, rueidis.PubSubMessage{Pattern: pattern, Channel: "news", Message: "\x00hello"})
		case <-time.After(10 * time.Second):
			True(false, "no message")
		}
	}
}

func blocking() {
	True(rueidis.IsRedisNil(do(b.Blpop().Key("idle").Timeout(0.1).Build()).Error()), "BLPOP")
	go func() {
		time.Sleep(50 * time.Millisecond)
		do(b.Lpush().Key("queue").Element("job").Build())
	}()
	Same(Must(do(b.Blpop().Key("queue").Timeout(5).Build()).AsStrSlice()), []string{"queue", "job"})
}

func resp3() {
	Check(do(b.Hset().Key("h3").FieldValue().FieldValue("a", "1").Build()).Error())
	Check(do(b.Zadd().Key("z3").ScoreMember().ScoreMember(1.5, "m").Build()).Error())
	hash := Must(do(b.Hgetall().Key("h3").Build()).ToMessage())
	score := Must(do(b.Zscore().Key("z3").Member("m").Build()).ToMessage())
	user := Must(do(b.AclGetuser().Username("app").Build()).ToMessage())
	True(hash.IsMap() && score.IsFloat64() && user.IsMap(), "no types of RESP3")
	// A value that is kept here is forgotten when another connection changes it.
	get := b.Get().Key("cached").Cache()
	Check(do(b.Set().Key("cached").Value("old").Build()).Error())
	first := r.DoCache(ctx, get, time.Minute)
	Same(Must(first.ToString()), "old")
	Same(r.DoCache(ctx, b.Get().Key("cached").Cache(), time.Minute).IsCacheHit(), true)
	other := Must(client(rueidis.ClientOption{}))
	defer other.Close()
	Check(other.Do(ctx, other.B().Set().Key("cached").Value("new").Build()).Error())
	time.Sleep(50 * time.Millisecond)
	Same(Must(r.DoCache(ctx, b.Get().Key("cached").Cache(), time.Minute).ToString()), "new")
}

func tlsStep() {
	secure := Must(client(rueidis.ClientOption{InitAddress: []string{Address("REDIS_TLS_PORT")}, TLSConfig: TLS(true)}))
	defer secure.Close()
	Same(Must(secure.Do(ctx, secure.B().Ping().Build()).ToString()), "PONG")
	value := strings.Repeat("s", 100_000)
	Check(secure.Do(ctx, secure.B().Set().Key("secret").Value(value).Build()).Error())
	Same(Must(secure.Do(ctx, secure.B().Get().Key("secret").Build()).ToString()), value)
	_, err := client(rueidis.ClientOption{InitAddress: []string{Address("REDIS_TLS_PORT")}, TLSConfig: TLS(false)})
	True(err != nil, "a certificate of nobody was taken")
}

func acl() {
	app := Must(client(rueidis.ClientOption{Username: "app", Password: "sesame"}))
	defer app.Close()
	Check(app.Do(ctx, app.B().Set().Key("app:k").Value("v").Build()).Error())
	Same(Must(app.Do(ctx, app.B().Get().Key("app:k").Build()).ToString()), "v")
	Fails(app.Do(ctx, app.B().Get().Key("other").Build()).Error(), "NOPERM")
	_, err := client(rueidis.ClientOption{Username: "app", Password: "wrong"})
	Fails(err, "WRONGPASS")
}

func cluster() {
	if !HasCluster() {
		panic(NotHere("no cluster"))
	}
	many := Must(client(rueidis.ClientOption{InitAddress: []string{Address("REDIS_CLUSTER_PORT")}, ShuffleInit: true}))
	defer many.Close()
	mb := many.B()
	var sets, gets rueidis.Commands
	for n := range 100 {
		key := fmt.Sprint("c:", n)
		sets = append(sets, mb.Set().Key(key).Value(fmt.Sprint(n)).Build())
		gets = append(gets, mb.Get().Key(key).Build())
	}
	for _, reply := range many.DoMulti(ctx, sets...) {
		Check(reply.Error())
	}
	for n, reply := range many.DoMulti(ctx, gets...) {
		Same(Must(reply.ToString()), fmt.Sprint(n))
	}
	Check(many.Do(ctx, mb.Mset().KeyValue().KeyValue("{tag}a", "1").KeyValue("{tag}b", "2").Build()).Error())
	Same(Must(many.Do(ctx, mb.Mget().Key("{tag}a", "{tag}b").Build()).AsStrSlice()), []string{"1", "2"})
	reply := many.Do(ctx, mb.Eval().Script(Both).Numkeys(2).Key("{tag}a", "{tag}b").Build())
	Same(Must(reply.AsStrSlice()), []string{"1", "2"})
	Same(len(many.Nodes()), 3)
}

func main() {
	Run("github.com/redis/rueidis", []Step{
		{"strings", stringsStep}, {"expiry", expiry}, {"hashes", hashes},
		{"sorted_sets", sortedSets}, {"streams", streams}, {"scan", scan},
		{"pipeline", pipeline}, {"transaction", transaction}, {"script", script},
		{"pubsub", pubsub}, {"blocking", blocking}, {"resp3", resp3}, {"tls", tlsStep},
		{"acl", acl}, {"cluster", cluster},
	})
}
