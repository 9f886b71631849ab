//! The scenario with redis-rs.
mod steps;

use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::Duration;

use redis::streams::{StreamClaimReply, StreamPendingReply, StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{cmd, pipe, Client, Commands, Connection, ExistenceCheck, RedisResult, SetExpiry, SetOptions, Value};
use steps::*;

fn url(rest: &str) -> String {
    format!("redis://{rest}127.0.0.1:{}", port("REDIS_PORT"))
}

fn client() -> Connection {
    let made = Client::open(url("")).unwrap().get_connection().unwrap();
    made.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    made
}

fn strings(r: &mut Connection) -> Outcome {
    let _: () = cmd("FLUSHALL").query(r)?;
    let big = vec![b'x'; 1_000_000];
    let _: () = r.set(odd(), odd())?;
    same(r.get::<_, Vec<u8>>(odd())?, odd())?;
    let _: () = r.set("empty", "")?;
    same(r.get::<_, Option<String>>("empty")?, Some(String::new()))?;
    let _: () = r.set("big", &big)?;
    same(r.get::<_, Vec<u8>>("big")? == big, true)?;
    let _: () = r.set("text", TEXT)?;
    same(r.get::<_, String>("text")?, TEXT)?;
    same(r.strlen::<_, usize>("text")?, 12)?;
    let _: () = r.mset(&[("a", 1), ("b", 2)])?;
    same(r.mget::<_, Vec<Option<i64>>>(&["a", "none", "b"])?, vec![Some(1), None, Some(2)])?;
    same(r.incr::<_, _, i64>("a", 41)?, 42)?;
    fails(r.incr::<_, _, i64>("text", 1), "value is not an integer")?;
    same(r.append::<_, _, i64>("b", "34")?, 3)?;
    same(r.getrange::<_, String>("b", 1, -1)?, "34")
}

fn expiry(r: &mut Connection) -> Outcome {
    let _: () = r.pset_ex("e", 1, 60_000)?;
    let left: i64 = r.pttl("e")?;
    same(left > 0 && left <= 60_000, true)?;
    same(r.persist::<_, bool>("e")?, true)?;
    same(r.ttl::<_, i64>("e")?, -1)?;
    let _: () = r.expire("e", 100)?;
    let left: i64 = r.ttl("e")?;
    same(left == 99 || left == 100, true)?;
    same(r.ttl::<_, i64>("none")?, -2)?;
    let _: () = r.set_options("short", "x", SetOptions::default().with_expiration(SetExpiry::PX(30)))?;
    thread::sleep(Duration::from_millis(60));
    same(r.get::<_, Option<String>>("short")?, None)?;
    let careful = SetOptions::default().conditional_set(ExistenceCheck::NX);
    same(r.set_options::<_, _, Option<String>>("e", 2, careful)?, None)?;
    same(r.get_del::<_, String>("e")?, "1")
}

fn hashes(r: &mut Connection) -> Outcome {
    same(r.hset_multiple::<_, _, _, String>("h", &[("f1", &b"v1"[..]), ("f2", &b"\0\xff"[..])])?, "OK")?;
    let all: HashMap<String, Vec<u8>> = r.hgetall("h")?;
    same(all, HashMap::from([("f1".into(), b"v1".to_vec()), ("f2".into(), b"\0\xff".to_vec())]))?;
    same(r.hincr::<_, _, _, i64>("h", "n", 5)?, 5)?;
    same(r.hincr::<_, _, _, f64>("h", "n", 0.5)?, 5.5)?;
    same(r.hmget::<_, _, Vec<Option<String>>>("h", &["f1", "none"])?, vec![Some("v1".into()), None])?;
    same(r.hexists::<_, _, bool>("h", "none")?, false)?;
    same(r.hdel::<_, _, i64>("h", &["f1", "none"])?, 1)?;
    same(r.hlen::<_, i64>("h")?, 2)
}

fn sorted_sets(r: &mut Connection) -> Outcome {
    let members = [(1.0, "one"), (2.5, "two"), (f64::INFINITY, "top")];
    same(r.zadd_multiple::<_, _, _, i64>("z", &members)?, 3)?;
    let all: Vec<(String, f64)> = r.zrange_withscores("z", 0, -1)?;
    same(all, members.map(|(score, name)| (name.to_string(), score)).to_vec())?;
    same(r.zrangebyscore::<_, _, _, Vec<String>>("z", "(1", "+inf")?, vec!["two", "top"])?;
    same(r.zincr::<_, _, _, f64>("z", "one", 10)?, 11.0)?;
    same(r.zrank::<_, _, Option<i64>>("z", "one")?, Some(1))?;
    same(r.zrank::<_, _, Option<i64>>("z", "none")?, None)?;
    same(r.zscore::<_, _, f64>("z", "two")?, 2.5)?;
    same(r.zpopmin::<_, Vec<(String, f64)>>("z", 1)?, vec![("two".to_string(), 2.5)])?;
    same(r.zcard::<_, i64>("z")?, 2)
}

fn streams(r: &mut Connection) -> Outcome {
    let _: () = r.xgroup_create_mkstream("s", "g", "0")?;
    let mut ids: Vec<String> = vec![];
    for n in 1..=3 {
        ids.push(r.xadd("s", "*", &[("n", n)])?);
    }
    same(ids.iter().collect::<HashSet<_>>().len(), 3)?;
    same(r.xlen::<_, i64>("s")?, 3)?;
    let options = StreamReadOptions::default().group("g", "alice").count(2);
    let read: StreamReadReply = r.xread_options(&["s"], &[">"], &options)?;
    let found: Vec<(String, Option<String>)> =
        read.keys[0].ids.iter().map(|entry| (entry.id.clone(), entry.get("n"))).collect();
    same(found, vec![(ids[0].clone(), Some("1".to_string())), (ids[1].clone(), Some("2".to_string()))])?;
    let pending: StreamPendingReply = r.xpending("s", "g")?;
    same(pending.count(), 2)?;
    same(r.xack::<_, _, _, i64>("s", "g", &[&ids[0]])?, 1)?;
    let claimed: StreamClaimReply = r.xclaim("s", "g", "bob", 0, &[&ids[1]])?;
    same(claimed.ids[0].get::<String>("n"), Some("2".to_string()))?;
    let all: StreamRangeReply = r.xrange_all("s")?;
    same(all.ids.len(), 3)?;
    fails(r.xgroup_create::<_, _, _, String>("s", "g", "0"), "BUSYGROUP")
}

fn scan(r: &mut Connection) -> Outcome {
    let pairs: Vec<(String, i32)> = (0..500).map(|n| (format!("scan:{n}"), n)).collect();
    let _: () = r.mset(&pairs)?;
    let found: RedisResult<HashSet<String>> =
        cmd("SCAN").cursor_arg(0).arg("MATCH").arg("scan:*").arg("COUNT").arg(50).clone().iter(r)?.collect();
    same(found?.len(), 500)
}

fn pipeline(r: &mut Connection) -> Outcome {
    let mut many = pipe();
    for _ in 0..500 {
        many.incr("p", 1);
    }
    let replies: Vec<i64> = many.query(r)?;
    same(replies, (1..=500).collect::<Vec<i64>>())?;
    fails(pipe().lpush("p", "x").incr("p", 1).query::<Vec<i64>>(r), "WRONGTYPE")?;
    same(r.get::<_, i64>("p")?, 501)
}

fn transaction(r: &mut Connection) -> Outcome {
    let done: (String, i64) = pipe().atomic().set("t", 1).incr("t", 1).query(r)?;
    same(done, ("OK".to_string(), 2))?;
    let _: () = cmd("WATCH").arg("t").query(r)?;
    let _: () = client().set("t", 10)?;
    let undone: Option<(String,)> = pipe().atomic().set("t", 0).query(r)?;
    same(undone, None)?;
    same(r.get::<_, String>("t")?, "10")
}

fn script(r: &mut Connection) -> Outcome {
    let (key, word, number, rest): (String, String, i64, Vec<String>) =
        redis::Script::new(SCRIPT).key("k").arg("v").invoke(r)?;
    same((key.as_str(), word.as_str(), number, rest), ("k", "v", 7, vec!["x".to_string()]))?;
    fails(cmd("EVALSHA").arg(NO_SHA).arg(0).query::<Value>(r), "NoScript")?;
    let increment = redis::Script::new(INCREMENT);
    same(increment.load(r)?, increment.get_hash())?;
    for wanted in [3, 6] {
        let got: i64 = cmd("EVALSHA").arg(increment.get_hash()).arg(1).arg("counter").arg(3).query(r)?;
        same(got, wanted)?;
    }
    fails(cmd("EVAL").arg(OWN_ERROR).arg(0).query::<Value>(r), "MINE")
}

fn pubsub(r: &mut Connection) -> Outcome {
    let mut own = client();
    let mut listener = own.as_pubsub();
    listener.subscribe("news")?;
    listener.psubscribe("n*s")?;
    listener.set_read_timeout(Some(Duration::from_secs(10)))?;
    same(r.publish::<_, _, i64>("news", "\0hello")?, 2)?;
    for pattern in [None, Some("n*s".to_string())] {
        let message = listener.get_message()?;
        same(message.get_payload::<String>()?, "\0hello")?;
        same(message.get_channel_name(), "news")?;
        same(message.get_pattern::<Option<String>>()?, pattern)?;
    }
    Ok(())
}

fn blocking(r: &mut Connection) -> Outcome {
    same(r.blpop::<_, Option<(String, String)>>("idle", 0.1)?, None)?;
    let pusher = thread::spawn(|| {
        thread::sleep(Duration::from_millis(50));
        client().lpush::<_, _, i64>("queue", "job")
    });
    same(r.blpop::<_, (String, String)>("queue", 5.0)?, ("queue".to_string(), "job".to_string()))?;
    pusher.join().unwrap()?;
    Ok(())
}

fn resp3(_: &mut Connection) -> Outcome {
    let mut three = Client::open(url("") + "/?protocol=resp3")?.get_connection()?;
    let _: () = three.hset("h3", "a", 1)?;
    let _: () = three.zadd("z3", "m", 1.5)?;
    let text = |text: &str| Value::BulkString(text.into());
    same(three.hgetall::<_, Value>("h3")?, Value::Map(vec![(text("a"), text("1"))]))?;
    same(three.zscore::<_, _, Value>("z3", "m")?, Value::Double(1.5))?;
    let user: Value = cmd("ACL").arg("GETUSER").arg("app").query(&mut three)?;
    same(matches!(user, Value::Map(_)), true)
}

fn tls(_: &mut Connection) -> Outcome {
    let place = format!("rediss://localhost:{}", port("REDIS_TLS_PORT"));
    let trusted = redis::TlsCertificates { client_tls: None, root_cert: Some(authority()) };
    let mut secure = Client::build_with_tls(place.as_str(), trusted)?.get_connection()?;
    same(cmd("PING").query::<String>(&mut secure)?, "PONG")?;
    let value = "s".repeat(100_000);
    let _: () = secure.set("secret", &value)?;
    same(secure.get::<_, String>("secret")?, value)?;
    same(Client::open(place)?.get_connection().is_err(), true)
}

fn acl(_: &mut Connection) -> Outcome {
    let mut app = Client::open(url("app:sesame@"))?.get_connection()?;
    let _: () = app.set("app:k", "v")?;
    same(app.get::<_, String>("app:k")?, "v")?;
    fails(app.get::<_, String>("other"), "NoPerm")?;
    match Client::open(url("app:wrong@"))?.get_connection() {
        Ok(_) => Err("a wrong password was taken".into()),
        Err(error) => same(error.kind(), redis::ErrorKind::AuthenticationFailed),
    }
}

fn cluster(_: &mut Connection) -> Outcome {
    let first = port("REDIS_CLUSTER_PORT");
    if first == 0 {
        return Err(NotHere("no cluster").into());
    }
    let nodes = vec![format!("redis://127.0.0.1:{first}")];
    let mut many = redis::cluster::ClusterClient::new(nodes)?.get_connection()?;
    for n in 0..100 {
        let _: () = many.set(format!("c:{n}"), n)?;
    }
    for n in 0..100 {
        same(many.get::<_, i32>(format!("c:{n}"))?, n)?;
    }
    let _: () = many.mset(&[("{tag}a", 1), ("{tag}b", 2)])?;
    same(many.mget::<_, Vec<i32>>(&["{tag}a", "{tag}b"])?, vec![1, 2])?;
    let both: Vec<i32> = redis::Script::new(BOTH).key("{tag}a").key("{tag}b").invoke(&mut many)?;
    same(both, vec![1, 2])
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("version redis-rs {}", env!("REDIS_RS_VERSION"));
    let mut r = client();
    let steps: [(&str, fn(&mut Connection) -> Outcome); 15] = [
        ("strings", strings), ("expiry", expiry), ("hashes", hashes), ("sorted_sets", sorted_sets),
        ("streams", streams), ("scan", scan), ("pipeline", pipeline), ("transaction", transaction),
        ("script", script), ("pubsub", pubsub), ("blocking", blocking), ("resp3", resp3),
        ("tls", tls), ("acl", acl), ("cluster", cluster),
    ];
    let failed = steps.iter().filter(|(name, step)| tell(name, step(&mut r))).count();
    std::process::exit(i32::from(failed > 0));
}
