import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisCluster;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.params.XClaimParams;
import redis.clients.jedis.params.XReadGroupParams;
import redis.clients.jedis.resps.ScanResult;
import redis.clients.jedis.resps.StreamEntry;
import redis.clients.jedis.resps.Tuple;

/** The scenario with Jedis. */
public final class WithJedis {
    private static final HostAndPort PLACE = new HostAndPort("127.0.0.1", Steps.PORT);
    private static final Jedis r = client();

    private static Jedis client() {
        return new Jedis(PLACE, DefaultJedisClientConfig.builder().socketTimeoutMillis(10_000).build());
    }

    private static void same(Object got, Object wanted) {
        Steps.same(got, wanted);
    }

    public static void main(String[] arguments) {
        new Steps()
            .add("strings", WithJedis::strings).add("expiry", WithJedis::expiry)
            .add("hashes", WithJedis::hashes).add("sorted_sets", WithJedis::sortedSets)
            .add("streams", WithJedis::streams).add("scan", WithJedis::scan)
            .add("pipeline", WithJedis::pipeline).add("transaction", WithJedis::transaction)
            .add("script", WithJedis::script).add("pubsub", WithJedis::pubsub)
            .add("blocking", WithJedis::blocking).add("resp3", WithJedis::resp3)
            .add("tls", WithJedis::tls).add("acl", WithJedis::acl).add("cluster", WithJedis::cluster)
            .run("Jedis", Jedis.class);
    }

    private static void strings() {
        r.flushAll();
        r.set(Steps.odd(), Steps.odd());
        same(r.get(Steps.odd()), Steps.odd());
        r.set("empty", "");
        same(r.get("empty"), "");
        r.set("big", Steps.BIG);
        same(r.get("big"), Steps.BIG);
        r.set("text", Steps.TEXT);
        same(r.get("text"), Steps.TEXT);
        same(r.strlen("text"), 12L);
        r.mset("a", "1", "b", "2");
        same(r.mget("a", "none", "b"), Arrays.asList("1", null, "2"));
        same(r.incrBy("a", 41), 42L);
        Steps.fails("ERR value is not an integer", () -> r.incr("text"));
        same(r.append("b", "34"), 3L);
        same(r.getrange("b", 1, -1), "34");
    }

    private static void expiry() throws Exception {
        r.set("e", "1", SetParams.setParams().px(60_000));
        same(r.pttl("e") > 0 && r.pttl("e") <= 60_000, true);
        same(r.persist("e"), 1L);
        same(r.ttl("e"), -1L);
        r.expire("e", 100);
        same(r.ttl("e") >= 99, true);
        same(r.ttl("none"), -2L);
        r.set("short", "x", SetParams.setParams().px(30));
        Thread.sleep(60);
        same(r.get("short"), null);
        same(r.set("e", "2", SetParams.setParams().nx()), null);
        same(r.getDel("e"), "1");
    }

    private static void hashes() {
        same(r.hset("h".getBytes(), Map.of("f1".getBytes(), "v1".getBytes(),
            "f2".getBytes(), new byte[] {0, -1})), 2L);
        same(r.hget("h".getBytes(), "f2".getBytes()), new byte[] {0, -1});
        same(r.hgetAll("h").keySet(), Set.of("f1", "f2"));
        same(r.hincrBy("h", "n", 5), 5L);
        same(r.hincrByFloat("h", "n", 0.5), 5.5);
        same(r.hmget("h", "f1", "none"), Arrays.asList("v1", null));
        same(r.hexists("h", "none"), false);
        same(r.hdel("h", "f1", "none"), 1L);
        same(r.hlen("h"), 2L);
    }

    private static void sortedSets() {
        same(r.zadd("z", Map.of("one", 1.0, "two", 2.5, "top", Double.POSITIVE_INFINITY)), 3L);
        same(r.zrangeWithScores("z", 0, -1), List.of(new Tuple("one", 1.0), new Tuple("two", 2.5),
            new Tuple("top", Double.POSITIVE_INFINITY)));
        same(r.zrangeByScore("z", "(1", "+inf"), List.of("two", "top"));
        same(r.zincrby("z", 10, "one"), 11.0);
        same(r.zrank("z", "one"), 1L);
        same(r.zrank("z", "none"), null);
        same(r.zscore("z", "two"), 2.5);
        same(r.zpopmin("z"), new Tuple("two", 2.5));
        same(r.zcard("z"), 2L);
    }

    private static void streams() {
        r.xgroupCreate("s", "g", new StreamEntryID(), true);
        List<StreamEntryID> ids = new ArrayList<>();
        for (String n : List.of("1", "2", "3")) {
            ids.add(r.xadd("s", StreamEntryID.NEW_ENTRY, Map.of("n", n)));
        }
        same(ids.get(0).compareTo(ids.get(1)) < 0 && ids.get(1).compareTo(ids.get(2)) < 0, true);
        same(r.xlen("s"), 3L);
        List<StreamEntry> read = r.xreadGroup("g", "alice", new XReadGroupParams().count(2),
            Map.of("s", StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY)).get(0).getValue();
        same(read.size(), 2);
        same(read.get(1).getID(), ids.get(1));
        same(read.get(1).getFields(), Map.of("n", "2"));
        same(r.xpending("s", "g").getTotal(), 2L);
        same(r.xack("s", "g", ids.get(0)), 1L);
        same(r.xclaim("s", "g", "bob", 0, new XClaimParams(), ids.get(1)).get(0).getFields(),
            Map.of("n", "2"));
        same(r.xrange("s", "-", "+").size(), 3);
        Steps.fails("BUSYGROUP", () -> r.xgroupCreate("s", "g", new StreamEntryID(), false));
    }

    private static void scan() {
        Pipeline pipe = r.pipelined();
        for (int n = 0; n < 500; n++) {
            pipe.set("scan:" + n, "x");
        }
        pipe.sync();
        Set<String> found = new HashSet<>();
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> page = r.scan(cursor, new ScanParams().match("scan:*").count(50));
            found.addAll(page.getResult());
            cursor = page.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        same(found.size(), 500);
    }

    private static void pipeline() {
        Pipeline pipe = r.pipelined();
        for (int n = 0; n < 500; n++) {
            pipe.incr("p");
        }
        Response<Long> wrong = pipe.lpush("p", "x");
        Response<Long> last = pipe.incr("p");
        pipe.sync();
        same(last.get(), 501L);
        Steps.fails("WRONGTYPE", wrong::get);
    }

    private static void transaction() {
        Transaction tx = r.multi();
        tx.set("t", "1");
        tx.incr("t");
        same(tx.exec(), List.of("OK", 2L));
        r.watch("t");
        try (Jedis other = client()) {
            other.set("t", "10");
        }
        tx = r.multi();
        tx.set("t", "0");
        same(tx.exec(), null);
        same(r.get("t"), "10");
    }

    private static void script() {
        same(r.eval(Steps.SCRIPT, 1, "k", "v"), List.of("k", "v", 7L, List.of("x")));
        Steps.fails("NOSCRIPT", () -> r.evalsha(Steps.NO_SHA));
        String sha = r.scriptLoad(Steps.INCREMENT);
        same(r.evalsha(sha, 1, "counter", "3"), 3L);
        same(r.evalsha(sha, 1, "counter", "3"), 6L);
        Steps.fails("MINE", () -> r.eval(Steps.OWN_ERROR));
    }

    private static void pubsub() throws Exception {
        listen(client());
    }

    private static void listen(Jedis own) throws Exception {
        List<List<String>> heard = new ArrayList<>();
        CountDownLatch ready = new CountDownLatch(2);
        CountDownLatch done = new CountDownLatch(2);
        JedisPubSub listener = new JedisPubSub() {
            @Override
            public void onSubscribe(String channel, int count) {
                ready.countDown();
            }

            @Override
            public void onPSubscribe(String pattern, int count) {
                ready.countDown();
                subscribeLater();
            }

            private void subscribeLater() {
                subscribe("news");
            }

            @Override
            public void onMessage(String channel, String message) {
                heard.add(List.of(channel, message));
                done.countDown();
            }

            @Override
            public void onPMessage(String pattern, String channel, String message) {
                heard.add(List.of(pattern, channel, message));
                done.countDown();
            }
        };
        Thread thread = new Thread(() -> own.psubscribe(listener, "n*s"));
        thread.start();
        same(ready.await(10, TimeUnit.SECONDS), true);
        same(r.publish("news", "\0hello"), 2L);
        same(done.await(10, TimeUnit.SECONDS), true);
        same(heard, List.of(List.of("news", "\0hello"), List.of("n*s", "news", "\0hello")));
        listener.punsubscribe();
        listener.unsubscribe();
        thread.join(10_000);
        own.close();
    }

    private static void blocking() throws Exception {
        same(r.blpop(0.1, "idle"), null);
        Thread pusher = Steps.soon(() -> {
            try (Jedis other = client()) {
                other.lpush("queue", "job");
            }
        });
        same(r.blpop(5, "queue"), List.of("queue", "job"));
        pusher.join();
    }

    private static void resp3() throws Exception {
        DefaultJedisClientConfig config = DefaultJedisClientConfig.builder()
            .protocol(RedisProtocol.RESP3).socketTimeoutMillis(10_000).build();
        try (UnifiedJedis three = new UnifiedJedis(PLACE, config)) {
            three.hset("h3", "a", "1");
            three.zadd("z3", 1.5, "m");
            same(three.hgetAll("h3"), Map.of("a", "1"));
            same(three.zscore("z3", "m"), 1.5);
        }
        try (Jedis three = new Jedis(PLACE, config)) {
            same(three.clientInfo().contains("resp=3"), true);
            same(three.aclGetUser("app").getFlags().contains("on"), true);
        }
        listen(new Jedis(PLACE, config));
    }

    private static void tls() throws Exception {
        HostAndPort place = new HostAndPort("localhost", Steps.TLS_PORT);
        try (Jedis secure = new Jedis(place, DefaultJedisClientConfig.builder().ssl(true)
            .sslSocketFactory(Steps.trusting().getSocketFactory()).build())) {
            same(secure.ping(), "PONG");
            secure.set("secret", Steps.SECRET);
            same(secure.get("secret"), Steps.SECRET);
        }
        Steps.fails("", () ->
            new Jedis(place, DefaultJedisClientConfig.builder().ssl(true).build()).ping());
    }

    private static void acl() {
        try (Jedis app = new Jedis(PLACE,
            DefaultJedisClientConfig.builder().user("app").password("sesame").build())) {
            app.set("app:k", "v");
            same(app.get("app:k"), "v");
            Steps.fails("NOPERM", () -> app.get("other"));
        }
        Steps.fails("WRONGPASS", () -> new Jedis(PLACE,
            DefaultJedisClientConfig.builder().user("app").password("wrong").build()).ping());
    }

    private static void cluster() throws Exception {
        if (Steps.CLUSTER_PORT == 0) {
            throw new Steps.NotHere("no cluster");
        }
        try (JedisCluster many = new JedisCluster(new HostAndPort("127.0.0.1", Steps.CLUSTER_PORT))) {
            for (int n = 0; n < 100; n++) {
                many.set("c:" + n, "" + n);
            }
            for (int n = 0; n < 100; n++) {
                same(many.get("c:" + n), "" + n);
            }
            many.mset("{tag}a", "1", "{tag}b", "2");
            same(many.mget("{tag}a", "{tag}b"), List.of("1", "2"));
            same(many.eval(Steps.BOTH, 2, "{tag}a", "{tag}b"), List.of("1", "2"));
            same(many.getClusterNodes().size(), 3);
        }
    }
}
