import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** What the programs of the scenario share: how they tell what they have done. */
final class Steps {
    static final int PORT = Integer.parseInt(System.getenv("REDIS_PORT"));
    static final int TLS_PORT = Integer.parseInt(System.getenv("REDIS_TLS_PORT"));
    static final String CA = System.getenv("REDIS_CA");
    static final int CLUSTER_PORT =
        Integer.parseInt(System.getenv().getOrDefault("REDIS_CLUSTER_PORT", "0"));

    static final String TEXT = "grüße\r\n€";
    static final String SCRIPT = "return {KEYS[1], ARGV[1], 7, {'x'}}";
    static final String INCREMENT = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    static final String OWN_ERROR = "return redis.error_reply('MINE own words')";
    static final String BOTH = "return redis.call('MGET', KEYS[1], KEYS[2])";
    static final String NO_SHA = "0".repeat(40);
    static final String BIG = "x".repeat(1_000_000);
    static final String SECRET = "s".repeat(100_000);

    /** The client has no such thing, or it cannot be tried here. */
    static final class NotHere extends Exception {
        NotHere(String why) {
            super(why);
        }
    }

    interface Step {
        void run() throws Exception;
    }

    private final Map<String, Step> steps = new LinkedHashMap<>();

    Steps add(String name, Step step) {
        steps.put(name, step);
        return this;
    }

    /** Do the steps one after the other, and end the program. */
    void run(String client, Class<?> ofClient) {
        String jar = ofClient.getProtectionDomain().getCodeSource().getLocation().getPath();
        String version = jar.replaceAll(".*/[a-z-]+-(\\d.*)\\.jar", "$1");
        System.out.println("version " + client + " " + version);
        int failed = 0;
        for (Map.Entry<String, Step> each : steps.entrySet()) {
            try {
                each.getValue().run();
                System.out.println("ok " + each.getKey());
            } catch (NotHere why) {
                System.out.println("none " + each.getKey() + ": " + why.getMessage());
            } catch (Throwable why) {
                failed++;
                why.printStackTrace();
                String text = why.toString().replaceAll("\\s+", " ");
                System.out.println("fail " + each.getKey() + ": " + text);
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(failed == 0 ? 0 : 1);
    }

    static byte[] odd() {
        byte[] all = new byte[256];
        for (int n = 0; n < 256; n++) {
            all[n] = (byte) n;
        }
        return all;
    }

    static void same(Object got, Object wanted) {
        boolean equal = got instanceof byte[] a && wanted instanceof byte[] b
            ? Arrays.equals(a, b)
            : Objects.equals(got, wanted);
        if (!equal) {
            throw new AssertionError(cut(got) + " instead of " + cut(wanted));
        }
    }

    private static String cut(Object value) {
        String text = String.valueOf(value);
        return text.length() > 200 ? text.substring(0, 200) : text;
    }

    /** It raises an error whose text, or that of its cause, has this part. */
    static void fails(String part, Callable<?> call) {
        Object got;
        try {
            got = call.call();
        } catch (Exception error) {
            for (Throwable each = error; each != null; each = each.getCause()) {
                if (String.valueOf(each.getMessage()).contains(part)) {
                    return;
                }
            }
            throw new AssertionError("not an error with " + part, error);
        }
        throw new AssertionError(got + " instead of an error with " + part);
    }

    /** Trusts the authority of the server. */
    static SSLContext trusting() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust().getTrustManagers(), null);
        return context;
    }

    static TrustManagerFactory trust() throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream file = new FileInputStream(CA)) {
            store.setCertificateEntry(
                "authority", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory factory =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory;
    }

    static Thread soon(Step step) {
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(100);
                step.run();
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        thread.start();
        return thread;
    }
}
