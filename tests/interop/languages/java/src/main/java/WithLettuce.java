import io.lettuce.core.ClientOptions;
import io.lettuce.core.Consumer;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.KeyValue;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.Range;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.ScoredValue;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SslOptions;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.XGroupCreateArgs;
import io.lettuce.core.XReadArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.sync.RedisAdvancedClusterCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The scenario with Lettuce, which speaks RESP3 unless told otherwise. */
public final class WithLettuce {
    private static final RedisClient client = RedisClient.create(place().build());
    private static final StatefulRedisConnection<String, String> connection = client.connect();
    private static final RedisCommands<String, String> r = connection.sync();

    private static RedisURI.Builder place() {
        return RedisURI.builder().withHost("127.0.0.1").withPort(Steps.PORT)
            .withTimeout(Duration.ofSeconds(20));
    }

    private static void same(Object got, Object wanted) {
        Steps.same(got, wanted);
    }

    public static void main(String[] arguments) {
        new Steps()
            .add("strings", WithLettuce::strings).add("expiry", WithLettuce::expiry)
            .add("hashes", WithLettuce::hashes).add("sorted_sets", WithLettuce::sortedSets)
            .add("streams", WithLettuce::streams).add("scan", WithLettuce::scan)
            .add("pipeline", WithLettuce::pipeline).add("transaction", WithLettuce::transaction)
            .add("script", WithLettuce::script).add("pubsub", () -> pubsub(client))
            .add("blocking", WithLettuce::blocking).add("resp3", WithLettuce::resp3)
            .add("tls", WithLettuce::tls).add("acl", WithLettuce::acl)
            .add("cluster", WithLettuce::cluster).run("Lettuce", RedisClient.class);
    }

    private static void strings() {
        r.flushall();
        try (StatefulRedisConnection<byte[], byte[]> raw = client.connect(ByteArrayCodec.INSTANCE)) {
            raw.sync().set(Steps.odd(), Steps.odd());
            same(raw.sync().get(Steps.odd()), Steps.odd());
        }
        r.set("empty", "");
        same(r.get("empty"), "");
        r.set("big", Steps.BIG);
        same(r.get("big"), Steps.BIG);
        r.set("text", Steps.TEXT);
        same(r.get("text"), Steps.TEXT);
        same(r.strlen("text"), 12L);
        r.mset(Map.of("a", "1", "b", "2"));
        same(r.mget("a", "none", "b"),
            List.of(KeyValue.just("a", "1"), KeyValue.empty("none"), KeyValue.just("b", "2")));
        same(r.incrby("a", 41), 42L);
        Steps.fails("ERR value is not an integer", () -> r.incr("text"));
        same(r.append("b", "34"), 3L);
        same(r.getrange("b", 1, -1), "34");
    }

    private static void expiry() throws Exception {
        r.set("e", "1", SetArgs.Builder.px(60_000));
        same(r.pttl("e") > 0 && r.pttl("e") <= 60_000, true);
        same(r.persist("e"), true);
        same(r.ttl("e"), -1L);
        r.expire("e", 100);
        same(r.ttl("e") >= 99, true);
        same(r.ttl("none"), -2L);
        r.set("short", "x", SetArgs.Builder.px(30));
        Thread.sleep(60);
        same(r.get("short"), null);
        same(r.set("e", "2", SetArgs.Builder.nx()), null);
        same(r.getdel("e"), "1");
    }

    private static void hashes() {
        same(r.hset("h", Map.of("f1", "v1", "f2", "\0ÿ")), 2L);
        same(r.hgetall("h"), Map.of("f1", "v1", "f2", "\0ÿ"));
        same(r.hincrby("h", "n", 5), 5L);
        same(r.hincrbyfloat("h", "n", 0.5), 5.5);
        same(r.hmget("h", "f1", "none"), List.of(KeyValue.just("f1", "v1"), KeyValue.empty("none")));
        same(r.hexists("h", "none"), false);
        same(r.hdel("h", "f1", "none"), 1L);
        same(r.hlen("h"), 2L);
    }

    private static void sortedSets() {
        same(r.zadd("z", ScoredValue.just(1, "one"), ScoredValue.just(2.5, "two"),
            ScoredValue.just(Double.POSITIVE_INFINITY, "top")), 3L);
        same(r.zrangeWithScores("z", 0, -1), List.of(ScoredValue.just(1, "one"),
            ScoredValue.just(2.5, "two"), ScoredValue.just(Double.POSITIVE_INFINITY, "top")));
        same(r.zrangebyscore("z", Range.from(Range.Boundary.excluding(1), Range.Boundary.unbounded())),
            List.of("two", "top"));
        same(r.zincrby("z", 10, "one"), 11.0);
        same(r.zrank("z", "one"), 1L);
        same(r.zrank("z", "none"), null);
        same(r.zscore("z", "two"), 2.5);
        same(r.zpopmin("z"), ScoredValue.just(2.5, "two"));
        same(r.zcard("z"), 2L);
    }

    private static void streams() {
        XReadArgs.StreamOffset<String> start = XReadArgs.StreamOffset.from("s", "0");
        r.xgroupCreate(start, "g", XGroupCreateArgs.Builder.mkstream());
        List<String> ids = new ArrayList<>();
        for (String n : List.of("1", "2", "3")) {
            ids.add(r.xadd("s", Map.of("n", n)));
        }
        same(new HashSet<>(ids).size(), 3);
        same(r.xlen("s"), 3L);
        List<StreamMessage<String, String>> read = r.xreadgroup(Consumer.from("g", "alice"),
            XReadArgs.Builder.count(2), XReadArgs.StreamOffset.lastConsumed("s"));
        same(read.size(), 2);
        same(read.get(1), new StreamMessage<>("s", ids.get(1), Map.of("n", "2")));
        same(r.xpending("s", "g").getCount(), 2L);
        same(r.xack("s", "g", ids.get(0)), 1L);
        same(r.xclaim("s", Consumer.from("g", "bob"), 0, ids.get(1)).get(0).getBody(), Map.of("n", "2"));
        same(r.xrange("s", Range.unbounded()).size(), 3);
        Steps.fails("BUSYGROUP", () -> r.xgroupCreate(start, "g"));
    }

    private static void scan() {
        for (int n = 0; n < 500; n++) {
            r.set("scan:" + n, "x");
        }
        Set<String> found = new HashSet<>();
        ScanCursor cursor = ScanCursor.INITIAL;
        while (!cursor.isFinished()) {
            KeyScanCursor<String> page = r.scan(cursor, ScanArgs.Builder.matches("scan:*").limit(50));
            found.addAll(page.getKeys());
            cursor = page;
        }
        same(found.size(), 500);
    }

    private static void pipeline() throws Exception {
        try (StatefulRedisConnection<String, String> own = client.connect()) {
            RedisAsyncCommands<String, String> async = own.async();
            own.setAutoFlushCommands(false);
            List<RedisFuture<?>> sent = new ArrayList<>();
            for (int n = 0; n < 500; n++) {
                sent.add(async.incr("p"));
            }
            RedisFuture<Long> wrong = async.lpush("p", "x");
            RedisFuture<Long> last = async.incr("p");
            own.flushCommands();
            same(LettuceFutures.awaitAll(Duration.ofSeconds(20), sent.toArray(new RedisFuture[0])), true);
            same(last.get(20, TimeUnit.SECONDS), 501L);
            Steps.fails("WRONGTYPE", () -> wrong.get(20, TimeUnit.SECONDS));
        }
    }

    private static void transaction() {
        r.multi();
        r.set("t", "1");
        r.incr("t");
        same(List.copyOf(r.exec().stream().toList()), List.of("OK", 2L));
        r.watch("t");
        try (StatefulRedisConnection<String, String> other = client.connect()) {
            other.sync().set("t", "10");
        }
        r.multi();
        r.set("t", "0");
        same(r.exec().wasDiscarded(), true);
        same(r.get("t"), "10");
    }

    private static void script() {
        same(r.eval(Steps.SCRIPT, ScriptOutputType.MULTI, new String[] {"k"}, "v"),
            List.of("k", "v", 7L, List.of("x")));
        Steps.fails("NOSCRIPT", () -> r.evalsha(Steps.NO_SHA, ScriptOutputType.INTEGER));
        String sha = r.scriptLoad(Steps.INCREMENT);
        String[] keys = {"counter"};
        same(r.evalsha(sha, ScriptOutputType.INTEGER, keys, "3"), 3L);
        same(r.evalsha(sha, ScriptOutputType.INTEGER, keys, "3"), 6L);
        Steps.fails("MINE", () -> r.eval(Steps.OWN_ERROR, ScriptOutputType.STATUS));
    }

    private static void pubsub(RedisClient by) throws Exception {
        try (StatefulRedisPubSubConnection<String, String> own = by.connectPubSub()) {
            List<List<String>> heard = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(2);
            own.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String channel, String message) {
                    heard.add(List.of(channel, message));
                    done.countDown();
                }

                @Override
                public void message(String pattern, String channel, String message) {
                    heard.add(List.of(pattern, channel, message));
                    done.countDown();
                }
            });
            own.sync().subscribe("news");
            own.sync().psubscribe("n*s");
            same(r.publish("news", "\0hello"), 2L);
            same(done.await(10, TimeUnit.SECONDS), true);
            same(heard, List.of(List.of("news", "\0hello"), List.of("n*s", "news", "\0hello")));
        }
    }

    private static void blocking() throws Exception {
        try (StatefulRedisConnection<String, String> own = client.connect()) {
            same(own.sync().blpop(0.1, "idle"), null);
            Thread pusher = Steps.soon(() -> r.lpush("queue", "job"));
            same(own.sync().blpop(5, "queue"), KeyValue.just("queue", "job"));
            pusher.join();
        }
    }

    private static void resp3() throws Exception {
        same(r.clientInfo().contains("resp=3"), true);
        r.hset("h3", "a", "1");
        r.zadd("z3", 1.5, "m");
        same(r.hgetall("h3"), Map.of("a", "1"));
        same(r.zscore("z3", "m"), 1.5);
        same(r.aclGetuser("app").get(0), "flags");
        RedisClient older = RedisClient.create(place().build());
        older.setOptions(ClientOptions.builder().protocolVersion(ProtocolVersion.RESP2).build());
        try (StatefulRedisConnection<String, String> two = older.connect()) {
            same(two.sync().hgetall("h3"), Map.of("a", "1"));
            same(two.sync().clientInfo().contains("resp=2"), true);
        }
        pubsub(older);
    }

    private static void tls() {
        RedisURI secureOne = RedisURI.builder().withHost("localhost").withPort(Steps.TLS_PORT)
            .withSsl(true).withTimeout(Duration.ofSeconds(20)).build();
        RedisClient trusting = RedisClient.create(secureOne);
        trusting.setOptions(ClientOptions.builder()
            .sslOptions(SslOptions.builder().trustManager(new File(Steps.CA)).build()).build());
        try (StatefulRedisConnection<String, String> secure = trusting.connect()) {
            same(secure.sync().ping(), "PONG");
            secure.sync().set("secret", Steps.SECRET);
            same(secure.sync().get("secret"), Steps.SECRET);
        }
        Steps.fails("", () -> RedisClient.create(secureOne).connect());
    }

    private static void acl() {
        RedisURI app = place().withAuthentication("app", "sesame").build();
        try (StatefulRedisConnection<String, String> own = client.connect(app)) {
            own.sync().set("app:k", "v");
            same(own.sync().get("app:k"), "v");
            Steps.fails("NOPERM", () -> own.sync().get("other"));
        }
        Steps.fails("WRONGPASS", () -> client.connect(place().withAuthentication("app", "wrong").build()));
    }

    private static void cluster() throws Exception {
        if (Steps.CLUSTER_PORT == 0) {
            throw new Steps.NotHere("no cluster");
        }
        RedisClusterClient many = RedisClusterClient.create(
            RedisURI.builder().withHost("127.0.0.1").withPort(Steps.CLUSTER_PORT).build());
        RedisAdvancedClusterCommands<String, String> nodes = many.connect().sync();
        for (int n = 0; n < 100; n++) {
            nodes.set("c:" + n, "" + n);
        }
        for (int n = 0; n < 100; n++) {
            same(nodes.get("c:" + n), "" + n);
        }
        nodes.mset(Map.of("{tag}a", "1", "{tag}b", "2", "other", "3"));
        same(nodes.mget("{tag}a", "{tag}b", "other").stream().map(KeyValue::getValue).toList(),
            List.of("1", "2", "3"));
        same(nodes.eval(Steps.BOTH, ScriptOutputType.MULTI, "{tag}a", "{tag}b"), List.of("1", "2"));
        same(nodes.upstream().size(), 3);
    }
}
