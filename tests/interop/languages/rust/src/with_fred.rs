//! The scenario with fred.
mod steps;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fred::prelude::*;
use fred::rustls::{pki_types::pem::PemObject, pki_types::CertificateDer, ClientConfig, RootCertStore};
use fred::types::config::{ReconnectPolicy, TlsConnector};
use fred::types::{ClusterHash, CustomCommand, RespVersion};
use steps::*;

fn settings(variable: &str) -> Config {
    Config { server: ServerConfig::new_centralized("127.0.0.1", port(variable)), ..Config::default() }
}

async fn client(config: Config) -> FredResult<Client> {
    let mut builder = Builder::from_config(config);
    builder.with_connection_config(|config| config.max_command_attempts = 1);
    builder.with_performance_config(|config| config.default_command_timeout = Duration::from_secs(20));
    builder.set_policy(ReconnectPolicy::new_constant(1, 100));
    let made = builder.build()?;
    made.init().await?;
    Ok(made)
}

async fn plain() -> FredResult<Client> {
    client(settings("REDIS_PORT")).await
}

async fn words(r: &Client, name: &'static str, rest: Vec<&str>) -> FredResult<Value> {
    r.custom(CustomCommand::new(name, ClusterHash::FirstKey, false), rest).await
}

async fn strings(r: &Client) -> Outcome {
    let _: () = r.flushall(false).await?;
    let key = fred::types::Key::from(odd().as_slice());
    let _: () = r.set(&key, odd().as_slice(), None, None, false).await?;
    same(r.get::<Vec<u8>, _>(&key).await?, odd())?;
    for value in [String::new(), "x".repeat(1_000_000), TEXT.to_string()] {
        let _: () = r.set("text", value.as_str(), None, None, false).await?;
        same(r.get::<String, _>("text").await?, value)?;
    }
    same(r.strlen::<i64, _>("text").await?, 12)?;
    let _: () = r.mset(vec![("a", 1), ("b", 2)]).await?;
    same(r.mget::<Vec<Option<i64>>, _>(vec!["a", "none", "b"]).await?, vec![Some(1), None, Some(2)])?;
    same(r.incr_by::<i64, _>("a", 41).await?, 42)?;
    fails(r.incr::<i64, _>("text").await, "value is not an integer")?;
    same(r.append::<i64, _, _>("b", "34").await?, 3)?;
    same(r.getrange::<String, _>("b", 1, 2).await?, "34")
}

async fn expiry(r: &Client) -> Outcome {
    let _: () = r.set("e", 1, Some(Expiration::PX(60_000)), None, false).await?;
    let left: i64 = r.pttl("e").await?;
    same(left > 0 && left <= 60_000, true)?;
    same(r.persist::<i64, _>("e").await?, 1)?;
    same(r.ttl::<i64, _>("e").await?, -1)?;
    let _: () = r.expire("e", 100, None).await?;
    let left: i64 = r.ttl("e").await?;
    same(left == 99 || left == 100, true)?;
    same(r.ttl::<i64, _>("none").await?, -2)?;
    let _: () = r.set("short", "x", Some(Expiration::PX(30)), None, false).await?;
    tokio::time::sleep(Duration::from_millis(60)).await;
    same(r.get::<Option<String>, _>("short").await?, None)?;
    same(r.set::<Option<String>, _, _>("e", 2, None, Some(SetOptions::NX), false).await?, None)?;
    same(r.getdel::<String, _>("e").await?, "1")
}

async fn hashes(r: &Client) -> Outcome {
    let fields = vec![("f1", Value::from("v1")), ("f2", Value::from(&b"\0\xff"[..]))];
    same(r.hset::<i64, _, _>("h", fields).await?, 2)?;
    let all: HashMap<String, Vec<u8>> = r.hgetall("h").await?;
    same(all, HashMap::from([("f1".into(), b"v1".to_vec()), ("f2".into(), b"\0\xff".to_vec())]))?;
    same(r.hincrby::<i64, _, _>("h", "n", 5).await?, 5)?;
    same(r.hincrbyfloat::<f64, _, _>("h", "n", 0.5).await?, 5.5)?;
    let some: Vec<Option<String>> = r.hmget("h", vec!["f1", "none"]).await?;
    same(some, vec![Some("v1".into()), None])?;
    same(r.hexists::<bool, _, _>("h", "none").await?, false)?;
    same(r.hdel::<i64, _, _>("h", vec!["f1", "none"]).await?, 1)?;
    same(r.hlen::<i64, _>("h").await?, 2)
}

async fn sorted_sets(r: &Client) -> Outcome {
    let members = vec![(1.0, "one"), (2.5, "two"), (f64::INFINITY, "top")];
    same(r.zadd::<i64, _, _>("z", None, None, false, false, members).await?, 3)?;
    let all: Vec<(String, f64)> = r.zrange("z", 0, -1, None, false, None, true).await?;
    same(all, vec![("one".into(), 1.0), ("two".into(), 2.5), ("top".to_string(), f64::INFINITY)])?;
    let above: Vec<String> = r.zrangebyscore("z", "(1", "+inf", false, None).await?;
    same(above, vec!["two", "top"])?;
    same(r.zincrby::<f64, _, _>("z", 10.0, "one").await?, 11.0)?;
    same(r.zrank::<Option<i64>, _, _>("z", "one", false).await?, Some(1))?;
    same(r.zrank::<Option<i64>, _, _>("z", "none", false).await?, None)?;
    same(r.zscore::<f64, _, _>("z", "two").await?, 2.5)?;
    same(r.zpopmin::<(String, f64), _>("z", None).await?, ("two".to_string(), 2.5))?;
    same(r.zcard::<i64, _>("z").await?, 2)
}

async fn streams(r: &Client) -> Outcome {
    let _: () = r.xgroup_create("s", "g", "0", true).await?;
    let mut ids: Vec<String> = vec![];
    for n in 1..=3 {
        ids.push(r.xadd("s", false, None, "*", ("n", n)).await?);
    }
    same(ids.iter().collect::<HashSet<_>>().len(), 3)?;
    same(r.xlen::<i64, _>("s").await?, 3)?;
    let read: HashMap<String, Vec<(String, HashMap<String, i64>)>> =
        r.xreadgroup_map("g", "alice", Some(2), None, false, "s", ">").await?;
    let entry = |n: usize| (ids[n].clone(), HashMap::from([("n".to_string(), n as i64 + 1)]));
    same(read, HashMap::from([("s".to_string(), vec![entry(0), entry(1)])]))?;
    let (count, ..): (i64, Value, Value, Value) = r.xpending("s", "g", ()).await?;
    same(count, 2)?;
    same(r.xack::<i64, _, _, _>("s", "g", ids[0].as_str()).await?, 1)?;
    let claimed: Vec<(String, HashMap<String, i64>)> =
        r.xclaim_values("s", "g", "bob", 0, ids[1].as_str(), None, None, None, false, false).await?;
    same(claimed, vec![entry(1)])?;
    let all: Vec<(String, HashMap<String, i64>)> = r.xrange_values("s", "-", "+", None).await?;
    same(all.len(), 3)?;
    fails(r.xgroup_create::<Value, _, _, _>("s", "g", "0", false).await, "BUSYGROUP")
}

async fn scan(r: &Client) -> Outcome {
    let pairs: Vec<(String, i32)> = (0..500).map(|n| (format!("scan:{n}"), n)).collect();
    let _: () = r.mset(pairs).await?;
    let mut found: HashSet<String> = HashSet::new();
    let mut cursor = "0".to_string();
    loop {
        let (next, keys): (String, Vec<String>) = r.scan_page(cursor, "scan:*", Some(50), None).await?;
        found.extend(keys);
        cursor = next;
        if cursor == "0" {
            return same(found.len(), 500);
        }
    }
}

async fn pipeline(r: &Client) -> Outcome {
    let pipe = r.pipeline();
    for _ in 0..500 {
        let _: () = pipe.incr("p").await?;
    }
    let _: () = pipe.lpush("p", "x").await?;
    let _: () = pipe.incr("p").await?;
    let replies = pipe.try_all::<i64>().await;
    fails(replies[500].as_ref().copied(), "WRONGTYPE")?;
    same(*replies[501].as_ref().map_err(|error| error.to_string())?, 501)
}

async fn transaction(r: &Client) -> Outcome {
    let tx = r.multi();
    let _: () = tx.set("t", 1, None, None, false).await?;
    let _: () = tx.incr("t").await?;
    same(tx.exec::<(String, i64)>(true).await?, ("OK".to_string(), 2))?;
    let own = plain().await?;
    let _: () = own.watch("t").await?;
    let _: () = r.set("t", 10, None, None, false).await?;
    let tx = own.multi();
    let _: () = tx.set("t", 0, None, None, false).await?;
    same(tx.exec::<Value>(true).await.map(|value| value.is_null()).unwrap_or(true), true)?;
    let _: () = own.quit().await?;
    same(r.get::<String, _>("t").await?, "10")
}

async fn script(r: &Client) -> Outcome {
    let reply: (String, String, i64, Vec<String>) = r.eval(SCRIPT, "k", "v").await?;
    same(reply, ("k".to_string(), "v".to_string(), 7, vec!["x".to_string()]))?;
    fails(r.evalsha::<Value, _, _, _>(NO_SHA, (), ()).await, "NOSCRIPT")?;
    let sha: String = r.script_load(INCREMENT).await?;
    for wanted in [3, 6] {
        same(r.evalsha::<i64, _, _, _>(sha.as_str(), "counter", 3).await?, wanted)?;
    }
    fails(r.eval::<Value, _, _, _>(OWN_ERROR, (), ()).await, "MINE")
}

async fn listen(r: &Client, version: RespVersion) -> Outcome {
    let own = client(Config { version, ..settings("REDIS_PORT") }).await?;
    let mut heard = own.message_rx();
    let _: () = own.subscribe("news").await?;
    let _: () = own.psubscribe("n*s").await?;
    // What it has awaited was sent; the server may still have to read it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    same(r.publish::<i64, _, _>("news", "\0hello").await?, 2)?;
    for _ in 0..2 {
        let message = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await??;
        same(message.value.convert::<String>()?, "\0hello")?;
    }
    Ok(own.quit().await?)
}

async fn pubsub(r: &Client) -> Outcome {
    listen(r, RespVersion::RESP2).await
}

async fn blocking(r: &Client) -> Outcome {
    let own = plain().await?;
    // Nothing is an error here.
    fails(own.blpop::<Option<(String, String)>, _>("idle", 0.1).await, "Timeout")?;
    let other = r.clone();
    let pusher = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.lpush::<i64, _, _>("queue", "job").await
    });
    same(own.blpop::<(String, String), _>("queue", 5.0).await?, ("queue".to_string(), "job".to_string()))?;
    pusher.await??;
    Ok(own.quit().await?)
}

async fn resp3(r: &Client) -> Outcome {
    let three = client(Config { version: RespVersion::RESP3, ..settings("REDIS_PORT") }).await?;
    let _: () = three.hset("h3", ("a", 1)).await?;
    let _: () = three.zadd("z3", None, None, false, false, (1.5, "m")).await?;
    same(three.hgetall::<Value, _>("h3").await?.is_map(), true)?;
    same(three.zscore::<Value, _, _>("z3", "m").await?.is_double(), true)?;
    same(words(&three, "ACL", vec!["GETUSER", "app"]).await?.is_map(), true)?;
    let _: () = three.quit().await?;
    listen(r, RespVersion::RESP3).await
}

fn secured(roots: RootCertStore) -> Config {
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Config {
        server: ServerConfig::new_centralized("localhost", port("REDIS_TLS_PORT")),
        tls: Some(TlsConnector::from(tls).into()),
        fail_fast: true,
        ..Config::default()
    }
}

async fn tls(_: &Client) -> Outcome {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&authority()).map_err(|error| format!("{error:?}"))?)?;
    let secure = client(secured(roots)).await?;
    same(secure.ping::<String>(None).await?, "PONG")?;
    let value = "s".repeat(100_000);
    let _: () = secure.set("secret", value.as_str(), None, None, false).await?;
    same(secure.get::<String, _>("secret").await?, value)?;
    let _: () = secure.quit().await?;
    same(client(secured(RootCertStore::empty())).await.is_err(), true)
}

async fn acl(_: &Client) -> Outcome {
    let user = |password: &str| Config {
        username: Some("app".into()),
        password: Some(password.into()),
        ..settings("REDIS_PORT")
    };
    let app = client(user("sesame")).await?;
    let _: () = app.set("app:k", "v", None, None, false).await?;
    same(app.get::<String, _>("app:k").await?, "v")?;
    fails(app.get::<String, _>("other").await, "NOPERM")?;
    match client(user("wrong")).await {
        Ok(_) => Err("a wrong password was taken".into()),
        Err(error) => same(error.kind(), &ErrorKind::Auth),
    }
}

async fn cluster(_: &Client) -> Outcome {
    let first = port("REDIS_CLUSTER_PORT");
    if first == 0 {
        return Err(NotHere("no cluster").into());
    }
    let server = ServerConfig::new_clustered(vec![("127.0.0.1", first)]);
    let many = client(Config { server, ..Config::default() }).await?;
    for n in 0..100 {
        let _: () = many.set(format!("c:{n}"), n, None, None, false).await?;
    }
    for n in 0..100 {
        same(many.get::<i32, _>(format!("c:{n}")).await?, n)?;
    }
    let _: () = many.mset(vec![("{tag}a", 1), ("{tag}b", 2)]).await?;
    same(many.mget::<Vec<i32>, _>(vec!["{tag}a", "{tag}b"]).await?, vec![1, 2])?;
    same(many.eval::<Vec<i32>, _, _, _>(BOTH, vec!["{tag}a", "{tag}b"], ()).await?, vec![1, 2])?;
    Ok(many.quit().await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> FredResult<()> {
    println!("version fred {}", env!("FRED_VERSION"));
    let r = plain().await?;
    let mut failed = false;
    macro_rules! run {
        ($($step:ident)*) => { $(
            let outcome = tokio::time::timeout(Duration::from_secs(30), $step(&r)).await;
            failed |= tell(stringify!($step), outcome.unwrap_or_else(|_| Err("not within 30 s".into())));
        )* };
    }
    run!(strings expiry hashes sorted_sets streams scan pipeline transaction script pubsub blocking
         resp3 tls acl cluster);
    std::process::exit(i32::from(failed));
}
