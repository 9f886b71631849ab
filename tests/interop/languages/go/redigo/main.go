// The scenario with redigo.
package main

import (
	"fmt"
	"strings"
	"time"

	. "scenario/steps"

	"github.com/gomodule/redigo/redis"
)

var r = dial()

func dial(options ...redis.DialOption) redis.Conn {
	return Must(redis.Dial("tcp", Address("REDIS_PORT"), options...))
}

func do(name string, words ...any) any { return Must(r.Do(name, words...)) }

func text(name string, words ...any) string { return Must(redis.String(r.Do(name, words...))) }

func number(name string, words ...any) int { return Must(redis.Int(r.Do(name, words...))) }

func fails(beginning, name string, words ...any) {
	_, err := r.Do(name, words...)
	Fails(err, beginning)
}

func stringsStep() {
	do("FLUSHALL")
	odd := Odd()
	do("SET", odd, odd)
	Same(text("GET", odd), odd)
	do("SET", "empty", "")
	Same(text("GET", "empty"), "")
	big := strings.Repeat("x", 1_000_000)
	do("SET", "big", big)
	Same(text("GET", "big"), big)
	do("SET", "text", Text)
	Same(text("GET", "text"), Text)
	Same(number("STRLEN", "text"), 12)
	do("MSET", "a", 1, "b", 2)
	Same(do("MGET", "a", "none", "b"), []any{[]byte("1"), nil, []byte("2")})
	Same(number("INCRBY", "a", 41), 42)
	fails("ERR value is not an integer", "INCR", "text")
	Same(number("APPEND", "b", "34"), 3)
	Same(text("GETRANGE", "b", 1, -1), "34")
}

func expiry() {
	do("SET", "e", 1, "PX", 60_000)
	left := number("PTTL", "e")
	True(left > 0 && left <= 60_000, "PTTL")
	Same(number("PERSIST", "e"), 1)
	Same(number("TTL", "e"), -1)
	do("EXPIRE", "e", 100)
	left = number("TTL", "e")
	True(left == 99 || left == 100, "TTL")
	Same(number("TTL", "none"), -2)
	do("SET", "short", "x", "PX", 30)
	time.Sleep(60 * time.Millisecond)
	Same(do("GET", "short"), nil)
	Same(do("SET", "e", 2, "NX"), nil)
	Same(text("GETDEL", "e"), "1")
}

func hashes() {
	Same(number("HSET", redis.Args{}.Add("h", "f1", "v1", "f2", "\x00\xff")...), 2)
	Same(Must(redis.StringMap(r.Do("HGETALL", "h"))), map[string]string{"f1": "v1", "f2": "\x00\xff"})
	Same(number("HINCRBY", "h", "n", 5), 5)
	Same(Must(redis.Float64(r.Do("HINCRBYFLOAT", "h", "n", 0.5))), 5.5)
	Same(do("HMGET", "h", "f1", "none"), []any{[]byte("v1"), nil})
	Same(number("HEXISTS", "h", "none"), 0)
	Same(number("HDEL", "h", "f1", "none"), 1)
	Same(number("HLEN", "h"), 2)
}

func sortedSets() {
	Same(number("ZADD", "z", 1, "one", 2.5, "two", "inf", "top"), 3)
	Same(Must(redis.Strings(r.Do("ZRANGE", "z", 0, -1, "WITHSCORES"))), []string{"one", "1", "two", "2.5", "top", "inf"})
	Same(Must(redis.Strings(r.Do("ZRANGEBYSCORE", "z", "(1", "+inf"))), []string{"two", "top"})
	Same(Must(redis.Float64(r.Do("ZINCRBY", "z", 10, "one"))), 11.0)
	Same(number("ZRANK", "z", "one"), 1)
	Same(do("ZRANK", "z", "none"), nil)
	Same(Must(redis.Float64(r.Do("ZSCORE", "z", "two"))), 2.5)
	Same(Must(redis.Strings(r.Do("ZPOPMIN", "z"))), []string{"two", "2.5"})
	Same(number("ZCARD", "z"), 2)
}

func streams() {
	do("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
	var ids []string
	for n := 1; n <= 3; n++ {
		ids = append(ids, text("XADD", "s", "*", "n", n))
	}
	True(ids[0] != ids[1] && ids[1] != ids[2], "IDs")
	Same(number("XLEN", "s"), 3)
	read := Must(redis.Values(r.Do("XREADGROUP", "GROUP", "g", "alice", "COUNT", 2, "STREAMS", "s", ">")))
	entry := func(id, n string) any { return []any{[]byte(id), []any{[]byte("n"), []byte(n)}} }
	Same(read, []any{[]any{[]byte("s"), []any{entry(ids[0], "1"), entry(ids[1], "2")}}})
	Same(Must(redis.Values(r.Do("XPENDING", "s", "g")))[0], int64(2))
	Same(number("XACK", "s", "g", ids[0]), 1)
	Same(do("XCLAIM", "s", "g", "bob", 0, ids[1]), []any{entry(ids[1], "2")})
	Same(len(Must(redis.Values(r.Do("XRANGE", "s", "-", "+")))), 3)
	fails("BUSYGROUP", "XGROUP", "CREATE", "s", "g", "0")
}

func scan() {
	words := redis.Args{}
	for n := range 500 {
		words = words.Add(fmt.Sprint("scan:", n), n)
	}
	do("MSET", words...)
	found := map[string]bool{}
	for cursor := "0"; ; {
		reply := Must(redis.Values(r.Do("SCAN", cursor, "MATCH", "scan:*", "COUNT", 50)))
		for _, key := range Must(redis.Strings(reply[1], nil)) {
			found[key] = true
		}
		if cursor = Must(redis.String(reply[0], nil)); cursor == "0" {
			break
		}
	}
	Same(len(found), 500)
}

func pipeline() {
	for range 500 {
		Check(r.Send("INCR", "p"))
	}
	Check(r.Send("LPUSH", "p", "x"))
	Check(r.Send("INCR", "p"))
	Check(r.Flush())
	for n := range 500 {
		Same(Must(redis.Int(r.Receive())), n+1)
	}
	_, err := r.Receive()
	Fails(err, "WRONGTYPE")
	Same(Must(redis.Int(r.Receive())), 501)
}

func transaction() {
	r.Send("MULTI")
	r.Send("SET", "t", 1)
	r.Send("INCR", "t")
	Same(do("EXEC"), []any{"OK", int64(2)})
	other := dial()
	defer other.Close()
	do("WATCH", "t")
	Must(other.Do("SET", "t", 10))
	r.Send("MULTI")
	r.Send("SET", "t", 0)
	Same(do("EXEC"), nil)
	Same(text("GET", "t"), "10")
}

func script() {
	Same(Must(redis.NewScript(1, Script).Do(r, "k", "v")), []any{[]byte("k"), []byte("v"), int64(7), []any{[]byte("x")}})
	fails("NOSCRIPT", "EVALSHA", strings.Repeat("0", 40), 0)
	increment := redis.NewScript(1, Increment)
	Check(increment.Load(r))
	for _, wanted := range []int{3, 6} {
		Check(increment.SendHash(r, "counter", 3))
		Check(r.Flush())
		Same(Must(redis.Int(r.Receive())), wanted)
	}
	fails("MINE", "EVAL", OwnError, 0)
}

func pubsub() {
	listener := redis.PubSubConn{Conn: dial()}
	defer listener.Close()
	Check(listener.Subscribe("news"))
	Check(listener.PSubscribe("n*s"))
	Same(listener.ReceiveWithTimeout(10*time.Second), redis.Subscription{Kind: "subscribe", Channel: "news", Count: 1})
	Same(listener.ReceiveWithTimeout(10*time.Second), redis.Subscription{Kind: "psubscribe", Channel: "n*s", Count: 2})
	Same(number("PUBLISH", "news", "\x00hello"), 2)
	for _, pattern := range []string{"", "n*s"} {
		Same(listener.ReceiveWithTimeout(10*time.Second), redis.Message{Channel: "news", Pattern: pattern, Data: []byte("\x00hello")})
	}
}

func blocking() {
	Same(do("BLPOP", "idle", 0.1), nil)
	go func() {
		other := dial()
		defer other.Close()
		time.Sleep(50 * time.Millisecond)
		other.Do("LPUSH", "queue", "job")
	}()
	Same(Must(redis.Strings(r.Do("BLPOP", "queue", 5))), []string{"queue", "job"})
}

func resp3() { panic(NotHere("speaks RESP2")) }

func tlsStep() {
	secure := Must(redis.Dial("tcp", Address("REDIS_TLS_PORT"), redis.DialUseTLS(true), redis.DialTLSConfig(TLS(true))))
	defer secure.Close()
	Same(Must(secure.Do("PING")), "PONG")
	value := strings.Repeat("s", 100_000)
	Must(secure.Do("SET", "secret", value))
	Same(Must(redis.String(secure.Do("GET", "secret"))), value)
	_, err := redis.Dial("tcp", Address("REDIS_TLS_PORT"), redis.DialUseTLS(true), redis.DialTLSConfig(TLS(false)))
	True(err != nil, "a certificate of nobody was taken")
}

func acl() {
	app := dial(redis.DialUsername("app"), redis.DialPassword("sesame"))
	defer app.Close()
	Must(app.Do("SET", "app:k", "v"))
	Same(Must(redis.String(app.Do("GET", "app:k"))), "v")
	_, err := app.Do("GET", "other")
	Fails(err, "NOPERM")
	_, err = redis.Dial("tcp", Address("REDIS_PORT"), redis.DialUsername("app"), redis.DialPassword("wrong"))
	Fails(err, "WRONGPASS")
}

func cluster() { panic(NotHere("knows no clusters")) }

func main() {
	Run("github.com/gomodule/redigo", []Step{
		{"strings", stringsStep}, {"expiry", expiry}, {"hashes", hashes},
		{"sorted_sets", sortedSets}, {"streams", streams}, {"scan", scan},
		{"pipeline", pipeline}, {"transaction", transaction}, {"script", script},
		{"pubsub", pubsub}, {"blocking", blocking}, {"resp3", resp3}, {"tls", tlsStep},
		{"acl", acl}, {"cluster", cluster},
	})
}
