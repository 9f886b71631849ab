import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RRateLimiter;
import org.redisson.api.RReadWriteLock;
import org.redisson.api.RSemaphore;
import org.redisson.api.RateType;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;

/** Redisson's locks, among two clients: scripts, pub/sub and expiry. */
public final class RedissonLocks {
    private static final int ROUNDS = 100;
    private static final RedissonClient one = client();
    private static final RedissonClient two = client();

    private static RedissonClient client() {
        Config config = new Config();
        config.setCodec(StringCodec.INSTANCE);
        config.setLockWatchdogTimeout(2_000);
        config.useSingleServer().setAddress("redis://127.0.0.1:" + Steps.PORT)
            .setConnectionMinimumIdleSize(1).setTimeout(20_000).setConnectTimeout(20_000);
        return Redisson.create(config);
    }

    public static void main(String[] arguments) {
        new Steps().add("locks", RedissonLocks::locks).add("contention", RedissonLocks::contention)
            .add("watchdog", RedissonLocks::watchdog).add("read_write", RedissonLocks::readWrite)
            .add("semaphores", RedissonLocks::semaphores).add("rate_limit", RedissonLocks::rateLimit)
            .run("Redisson", Redisson.class);
    }

    private static void locks() throws Exception {
        one.getKeys().flushall();
        RLock lock = one.getLock("lock");
        lock.lock(5, TimeUnit.SECONDS);
        lock.lock(5, TimeUnit.SECONDS);
        Steps.same(lock.getHoldCount(), 2);
        Steps.same(two.getLock("lock").tryLock(), false);
        Steps.same(lock.remainTimeToLive() > 4_000, true);
        lock.unlock();
        lock.unlock();
        Steps.same(lock.isLocked(), false);
        Steps.fails("not locked by current thread", () -> {
            lock.unlock();
            return null;
        });
        lock.lock(100, TimeUnit.MILLISECONDS);
        Steps.same(two.getLock("lock").tryLock(10, 5, TimeUnit.SECONDS), true);
        two.getLock("lock").unlock();
    }

    private static void contention() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        CountDownLatch done = new CountDownLatch(4);
        for (int n = 0; n < 4; n++) {
            RedissonClient own = n % 2 == 0 ? one : two;
            pool.execute(() -> {
                for (int round = 0; round < ROUNDS; round++) {
                    RLock lock = own.getLock("counter-lock");
                    lock.lock();
                    try {
                        String seen = (String) own.getBucket("counter").get();
                        int total = seen == null ? 0 : Integer.parseInt(seen);
                        own.getBucket("counter").set("" + (total + 1));
                    } finally {
                        lock.unlock();
                    }
                }
                done.countDown();
            });
        }
        Steps.same(done.await(120, TimeUnit.SECONDS), true);
        pool.shutdown();
        Steps.same(one.getBucket("counter").get(), "" + 4 * ROUNDS);
    }

    private static void watchdog() throws Exception {
        RLock lock = one.getLock("long");
        lock.lock();
        Thread.sleep(4_000);
        Steps.same(two.getLock("long").isLocked(), true);
        lock.unlock();
        Steps.same(two.getLock("long").isLocked(), false);
    }

    private static void readWrite() {
        RReadWriteLock here = one.getReadWriteLock("both");
        RReadWriteLock there = two.getReadWriteLock("both");
        here.readLock().lock();
        Steps.same(there.readLock().tryLock(), true);
        Steps.same(there.writeLock().tryLock(), false);
        there.readLock().unlock();
        here.readLock().unlock();
        Steps.same(there.writeLock().tryLock(), true);
        Steps.same(here.readLock().tryLock(), false);
        there.writeLock().unlock();
    }

    private static void semaphores() throws Exception {
        RSemaphore here = one.getSemaphore("places");
        Steps.same(here.trySetPermits(2), true);
        here.acquire(2);
        RSemaphore there = two.getSemaphore("places");
        Steps.same(there.tryAcquire(), false);
        Thread later = Steps.soon(here::release);
        Steps.same(there.tryAcquire(java.time.Duration.ofSeconds(10)), true);
        later.join();
        Steps.same(here.availablePermits(), 0);
    }

    private static void rateLimit() {
        RRateLimiter limiter = one.getRateLimiter("rate");
        Steps.same(limiter.trySetRate(RateType.OVERALL, 5, java.time.Duration.ofHours(1)), true);
        int allowed = 0;
        for (int n = 0; n < 10; n++) {
            allowed += (n % 2 == 0 ? one : two).getRateLimiter("rate").tryAcquire() ? 1 : 0;
        }
        Steps.same(allowed, 5);
    }
}
