import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.connection.stream.Consumer;
import org.springframework.data.redis.connection.stream.MapRecord;
import org.springframework.data.redis.connection.stream.ReadOffset;
import org.springframework.data.redis.connection.stream.StreamOffset;
import org.springframework.data.redis.connection.stream.StreamReadOptions;
import org.springframework.data.redis.core.RedisOperations;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.core.SessionCallback;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.data.redis.core.ZSetOperations.TypedTuple;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.data.redis.listener.ChannelTopic;
import org.springframework.data.redis.listener.RedisMessageListenerContainer;

/** spring-data-redis over Lettuce: templates, transactions, scripts, streams and listeners. */
public final class WithSpring {
    private static final LettuceConnectionFactory factory =
        new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", Steps.PORT));
    private static StringRedisTemplate r;

    public static void main(String[] arguments) {
        factory.afterPropertiesSet();
        factory.start();
        r = new StringRedisTemplate(factory);
        new Steps().add("values", WithSpring::values).add("collections", WithSpring::collections)
            .add("pipeline", WithSpring::pipeline).add("transaction", WithSpring::transaction)
            .add("script", WithSpring::script).add("streams", WithSpring::streams)
            .add("listeners", WithSpring::listeners)
            .run("spring-data-redis", RedisTemplate.class);
    }

    private static void values() throws Exception {
        factory.getConnection().serverCommands().flushAll();
        for (int n = 0; n < 300; n++) {
            r.opsForValue().set("v:" + n, "" + n, Duration.ofMinutes(1));
        }
        Steps.same(r.opsForValue().get("v:7"), "7");
        Steps.same(r.getExpire("v:7") > 58, true);
        Steps.same(r.opsForValue().setIfAbsent("v:7", "x"), false);
        Steps.same(r.opsForValue().increment("counter", 5), 5L);
        Steps.same(r.keys("v:*").size(), 300);
        Steps.same(r.delete(List.of("v:1", "v:2", "none")), 2L);
    }

    private static void collections() {
        r.opsForHash().putAll("h", Map.of("a", "1", "b", "2"));
        Steps.same(r.opsForHash().entries("h"), Map.of("a", "1", "b", "2"));
        r.opsForList().rightPushAll("l", "1", "2", "3");
        Steps.same(r.opsForList().range("l", 0, -1), List.of("1", "2", "3"));
        Steps.same(r.opsForList().leftPop("l", Duration.ofSeconds(1)), "1");
        r.opsForSet().add("s", "a", "b");
        Steps.same(r.opsForSet().members("s"), Set.of("a", "b"));
        r.opsForZSet().add("z", "m", 1.5);
        TypedTuple<String> top = r.opsForZSet().popMax("z");
        Steps.same(List.of(top.getValue(), top.getScore()), List.of("m", 1.5));
    }

    private static void pipeline() {
        List<Object> replies = r.executePipelined(new SessionCallback<Object>() {
            @Override
            @SuppressWarnings("unchecked")
            public Object execute(RedisOperations operations) {
                for (int n = 0; n < 300; n++) {
                    operations.opsForValue().increment("p");
                }
                return null;
            }
        });
        Steps.same(replies.get(299), 300L);
    }

    private static void transaction() {
        List<Object> done = r.execute(new SessionCallback<List<Object>>() {
            @Override
            @SuppressWarnings("unchecked")
            public List<Object> execute(RedisOperations operations) {
                operations.watch("t");
                operations.multi();
                operations.opsForValue().set("t", "1");
                operations.opsForValue().increment("t");
                return operations.exec();
            }
        });
        Steps.same(done, List.of(true, 2L));
    }

    private static void script() {
        RedisScript<Long> script = RedisScript.of(Steps.INCREMENT, Long.class);
        Steps.same(r.execute(script, List.of("counted"), "3"), 3L);
        Steps.same(r.execute(script, List.of("counted"), "3"), 6L);
    }

    private static void streams() {
        for (int n = 0; n < 300; n++) {
            r.opsForStream().add("events", Map.of("n", "" + n));
        }
        r.opsForStream().createGroup("events", ReadOffset.from("0"), "g");
        List<MapRecord<String, Object, Object>> read = r.opsForStream().read(Consumer.from("g", "c"),
            StreamReadOptions.empty().count(300), StreamOffset.create("events", ReadOffset.lastConsumed()));
        Steps.same(read.size(), 300);
        Steps.same(read.get(299).getValue(), Map.of("n", "299"));
        Steps.same(r.opsForStream().pending("events", "g").getTotalPendingMessages(), 300L);
        Steps.same(r.opsForStream().acknowledge("g", read.get(0)), 1L);
    }

    private static void listeners() throws Exception {
        RedisMessageListenerContainer container = new RedisMessageListenerContainer();
        LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        container.setConnectionFactory(factory);
        container.afterPropertiesSet();
        container.addMessageListener((message, pattern) -> heard.add(new String(message.getBody())),
            new ChannelTopic("news"));
        container.start();
        for (int n = 0; n < 300; n++) {
            r.convertAndSend("news", "" + n);
        }
        // Each message is handed on by a thread of its own, so that they come in any order.
        Set<String> all = new HashSet<>();
        for (int n = 0; n < 300; n++) {
            all.add(heard.poll(10, TimeUnit.SECONDS));
        }
        Steps.same(all.size() == 300 && all.contains("0") && all.contains("299"), true);
    }
}
