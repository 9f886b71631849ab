import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RAtomicLong;
import org.redisson.api.RBatch;
import org.redisson.api.RBlockingQueue;
import org.redisson.api.RBucket;
import org.redisson.api.RFuture;
import org.redisson.api.RMap;
import org.redisson.api.RPatternTopic;
import org.redisson.api.RScoredSortedSet;
import org.redisson.api.RScript;
import org.redisson.api.RStream;
import org.redisson.api.RTopic;
import org.redisson.api.RTransaction;
import org.redisson.api.RedissonClient;
import org.redisson.api.StreamMessageId;
import org.redisson.api.TransactionOptions;
import org.redisson.api.options.KeysScanOptions;
import org.redisson.api.stream.StreamAddArgs;
import org.redisson.api.stream.StreamCreateGroupArgs;
import org.redisson.api.stream.StreamReadGroupArgs;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.LongCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.client.protocol.ScoredEntry;
import org.redisson.config.Config;
import org.redisson.config.Protocol;

/** The scenario with Redisson, which has objects where others have commands. */
public final class WithRedisson {
    private static final RedissonClient r = Redisson.create(config());

    private static Config config() {
        Config config = new Config();
        config.setCodec(StringCodec.INSTANCE);
        config.useSingleServer().setAddress("redis://127.0.0.1:" + Steps.PORT)
            .setConnectionMinimumIdleSize(1).setTimeout(20_000).setConnectTimeout(20_000);
        return config;
    }

    private static void same(Object got, Object wanted) {
        Steps.same(got, wanted);
    }

    public static void main(String[] arguments) {
        new Steps()
            .add("strings", WithRedisson::strings).add("expiry", WithRedisson::expiry)
            .add("hashes", WithRedisson::hashes).add("sorted_sets", WithRedisson::sortedSets)
            .add("streams", WithRedisson::streams).add("scan", WithRedisson::scan)
            .add("pipeline", WithRedisson::pipeline).add("transaction", WithRedisson::transaction)
            .add("script", WithRedisson::script).add("pubsub", () -> pubsub(r))
            .add("blocking", WithRedisson::blocking).add("resp3", WithRedisson::resp3)
            .add("tls", WithRedisson::tls).add("acl", WithRedisson::acl)
            .add("cluster", WithRedisson::cluster).run("Redisson", Redisson.class);
    }

    private static void strings() {
        r.getKeys().flushall();
        RBucket<byte[]> odd = r.getBucket("odd\0\r\n", ByteArrayCodec.INSTANCE);
        odd.set(Steps.odd());
        same(odd.get(), Steps.odd());
        for (String value : List.of("", Steps.BIG, Steps.TEXT)) {
            r.getBucket("text").set(value);
            same(r.getBucket("text").get(), value);
        }
        same(r.getBucket("text").size(), 12L);
        r.getBuckets().set(Map.of("a", "1", "b", "2"));
        same(r.getBuckets().get("a", "none", "b"), Map.of("a", "1", "b", "2"));
        same(r.getAtomicLong("a").addAndGet(41), 42L);
        Steps.fails("ERR value is not an integer", () -> r.getAtomicLong("text").incrementAndGet());
    }

    private static void expiry() throws Exception {
        RBucket<String> e = r.getBucket("e");
        e.set("1", Duration.ofMinutes(1));
        same(e.remainTimeToLive() > 0 && e.remainTimeToLive() <= 60_000, true);
        same(e.clearExpire(), true);
        same(e.remainTimeToLive(), -1L);
        same(e.expire(Duration.ofSeconds(100)), true);
        same(e.remainTimeToLive() > 98_000, true);
        same(r.getBucket("none").remainTimeToLive(), -2L);
        r.getBucket("short").set("x", Duration.ofMillis(30));
        Thread.sleep(60);
        same(r.getBucket("short").get(), null);
        same(e.setIfAbsent("2"), false);
        same(e.getAndDelete(), "1");
    }

    private static void hashes() {
        RMap<String, String> h = r.getMap("h");
        same(h.fastPut("f1", "v1"), true);
        same(h.put("f2", "\0ÿ"), null);
        same(h.readAllMap(), Map.of("f1", "v1", "f2", "\0ÿ"));
        same(h.getAll(Set.of("f1", "none")), Map.of("f1", "v1"));
        same(h.containsKey("none"), false);
        same(h.fastRemove("f1", "none"), 1L);
        RMap<String, Long> numbers = r.getMap("numbers", new org.redisson.codec.CompositeCodec(
            StringCodec.INSTANCE, LongCodec.INSTANCE));
        same(numbers.addAndGet("n", 5L), 5L);
        same(h.size(), 1);
    }

    private static void sortedSets() {
        RScoredSortedSet<String> z = r.getScoredSortedSet("z");
        // It can send an infinite score, but not read one.
        same(z.addAll(Map.of("one", 1.0, "two", 2.5, "top", 1e300)), 3);
        List<Object> pairs = new ArrayList<>();
        for (ScoredEntry<String> each : z.entryRange(0, -1)) {
            pairs.add(each.getValue());
            pairs.add(each.getScore());
        }
        same(pairs, List.of("one", 1.0, "two", 2.5, "top", 1e300));
        same(List.copyOf(z.valueRange(1, false, Double.POSITIVE_INFINITY, true)), List.of("two", "top"));
        same(z.addScore("one", 10), 11.0);
        same(z.rank("one"), 1);
        same(z.rank("none"), null);
        same(z.getScore("two"), 2.5);
        same(z.pollFirst(), "two");
        same(z.size(), 2);
    }

    private static void streams() {
        RStream<String, String> s = r.getStream("s");
        s.createGroup(StreamCreateGroupArgs.name("g").id(StreamMessageId.ALL).makeStream());
        List<StreamMessageId> ids = new ArrayList<>();
        for (String n : List.of("1", "2", "3")) {
            ids.add(s.add(StreamAddArgs.entry("n", n)));
        }
        same(s.size(), 3L);
        Map<StreamMessageId, Map<String, String>> read =
            s.readGroup("g", "alice", StreamReadGroupArgs.neverDelivered().count(2));
        same(read, Map.of(ids.get(0), Map.of("n", "1"), ids.get(1), Map.of("n", "2")));
        same(s.getPendingInfo("g").getTotal(), 2L);
        same(s.ack("g", ids.get(0)), 1L);
        same(s.claim("g", "bob", 0, TimeUnit.MILLISECONDS, ids.get(1)),
            Map.of(ids.get(1), Map.of("n", "2")));
        same(s.range(StreamMessageId.MIN, StreamMessageId.MAX).size(), 3);
        Steps.fails("BUSYGROUP", () -> {
            s.createGroup(StreamCreateGroupArgs.name("g").id(StreamMessageId.ALL));
            return null;
        });
    }

    private static void scan() {
        RBatch batch = r.createBatch();
        for (int n = 0; n < 500; n++) {
            batch.getBucket("scan:" + n).setAsync("x");
        }
        batch.execute();
        Set<String> found = new HashSet<>();
        r.getKeys().getKeys(KeysScanOptions.defaults().pattern("scan:*").chunkSize(50)).forEach(found::add);
        same(found.size(), 500);
    }

    private static void pipeline() throws Exception {
        RBatch batch = r.createBatch();
        List<RFuture<Long>> sent = new ArrayList<>();
        for (int n = 0; n < 501; n++) {
            sent.add(batch.getAtomicLong("p").incrementAndGetAsync());
        }
        batch.execute();
        same(sent.get(500).get(), 501L);
        RBatch wrong = r.createBatch();
        RFuture<Boolean> failed = wrong.getList("p").addAsync("x");
        RFuture<Long> after = wrong.getAtomicLong("p").incrementAndGetAsync();
        Steps.fails("WRONGTYPE", wrong::execute);
        Steps.fails("WRONGTYPE", failed::get);
        same(after.get(), 502L);
    }

    private static void transaction() throws Exception {
        RTransaction tx = r.createTransaction(TransactionOptions.defaults());
        tx.getBucket("t").set("1");
        tx.getMap("tm").put("a", "b");
        tx.commit();
        same(r.getBucket("t").get(), "1");
        same(r.getMap("tm").get("a"), "b");
        RTransaction undone = r.createTransaction(TransactionOptions.defaults());
        undone.getBucket("t").set("2");
        undone.rollback();
        same(r.getBucket("t").get(), "1");
    }

    private static void script() {
        RScript script = r.getScript();
        same(script.eval(RScript.Mode.READ_WRITE, Steps.SCRIPT, RScript.ReturnType.MULTI,
            List.of("k"), "v"), List.of("k", "v", 7L, List.of("x")));
        Steps.fails("NOSCRIPT", () -> script.evalSha(RScript.Mode.READ_WRITE, Steps.NO_SHA,
            RScript.ReturnType.INTEGER, List.of("none")));
        String sha = script.scriptLoad(Steps.INCREMENT);
        for (long wanted : new long[] {3, 6}) {
            same(script.evalSha(RScript.Mode.READ_WRITE, sha, RScript.ReturnType.INTEGER,
                List.of("counter"), "3"), wanted);
        }
        Steps.fails("MINE", () -> script.eval(RScript.Mode.READ_WRITE, Steps.OWN_ERROR,
            RScript.ReturnType.STATUS));
    }

    private static void pubsub(RedissonClient by) throws Exception {
        List<List<String>> heard = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(2);
        RTopic topic = by.getTopic("news");
        RPatternTopic pattern = by.getPatternTopic("n*s");
        topic.addListener(String.class, (channel, message) -> {
            heard.add(List.of(channel.toString(), message));
            done.countDown();
        });
        pattern.addListener(String.class, (matched, channel, message) -> {
            heard.add(List.of(matched.toString(), channel.toString(), message));
            done.countDown();
        });
        same(topic.publish("\0hello"), 2L);
        same(done.await(10, TimeUnit.SECONDS), true);
        same(new HashSet<>(heard), Set.of(List.of("news", "\0hello"), List.of("n*s", "news", "\0hello")));
        topic.removeAllListeners();
        pattern.removeAllListeners();
    }

    private static void blocking() throws Exception {
        RBlockingQueue<String> queue = r.getBlockingQueue("queue");
        same(r.getBlockingQueue("idle").poll(1, TimeUnit.SECONDS), null);
        Thread pusher = Steps.soon(() -> r.getDeque("queue").add("job"));
        same(queue.poll(5, TimeUnit.SECONDS), "job");
        pusher.join();
    }

    private static void resp3() throws Exception {
        Config config = config();
        config.setProtocol(Protocol.RESP3);
        RedissonClient three = Redisson.create(config);
        RMap<String, String> h = three.getMap("h3");
        h.put("a", "1");
        same(h.readAllMap(), Map.of("a", "1"));
        RScoredSortedSet<String> z = three.getScoredSortedSet("z3");
        z.add(1.5, "m");
        same(z.getScore("m"), 1.5);
        same(z.entryRange(0, -1).iterator().next().getScore(), 1.5);
        pubsub(three);
        three.shutdown(0, 1, TimeUnit.SECONDS);
    }

    private static void tls() throws Exception {
        Config config = config();
        config.useSingleServer().setAddress("rediss://localhost:" + Steps.TLS_PORT)
            .setSslTrustManagerFactory(Steps.trust());
        RedissonClient secure = Redisson.create(config);
        secure.getBucket("secret").set(Steps.SECRET);
        same(secure.getBucket("secret").get(), Steps.SECRET);
        secure.shutdown(0, 1, TimeUnit.SECONDS);
        Config strange = config();
        strange.useSingleServer().setAddress("rediss://localhost:" + Steps.TLS_PORT);
        Steps.fails("", () -> Redisson.create(strange));
    }

    private static void acl() {
        Config config = config();
        config.useSingleServer().setUsername("app").setPassword("sesame");
        RedissonClient app = Redisson.create(config);
        app.getBucket("app:k").set("v");
        same(app.getBucket("app:k").get(), "v");
        Steps.fails("NOPERM", () -> app.getBucket("other").get());
        app.shutdown(0, 1, TimeUnit.SECONDS);
        Config wrong = config();
        wrong.useSingleServer().setUsername("app").setPassword("wrong");
        Steps.fails("WRONGPASS", () -> Redisson.create(wrong));
    }

    private static void cluster() throws Exception {
        if (Steps.CLUSTER_PORT == 0) {
            throw new Steps.NotHere("no cluster");
        }
        Config config = new Config();
        config.setCodec(StringCodec.INSTANCE);
        config.useClusterServers().addNodeAddress("redis://127.0.0.1:" + Steps.CLUSTER_PORT)
            .setMasterConnectionMinimumIdleSize(1).setTimeout(20_000);
        RedissonClient many = Redisson.create(config);
        RBatch sets = many.createBatch();
        for (int n = 0; n < 100; n++) {
            sets.getBucket("c:" + n).setAsync("" + n);
        }
        sets.execute();
        for (int n = 0; n < 100; n++) {
            same(many.getBucket("c:" + n).get(), "" + n);
        }
        many.getBuckets().set(Map.of("{tag}a", "1", "{tag}b", "2"));
        same(many.getBuckets().get("{tag}a", "{tag}b", "c:7"), Map.of("{tag}a", "1", "{tag}b", "2", "c:7", "7"));
        same(many.getScript().eval("{tag}a", RScript.Mode.READ_WRITE, Steps.BOTH,
            RScript.ReturnType.MULTI, List.of("{tag}a", "{tag}b")), List.of("1", "2"));
        RAtomicLong counter = many.getAtomicLong("counter");
        same(counter.incrementAndGet(), 1L);
        many.shutdown(0, 1, TimeUnit.SECONDS);
    }
}
