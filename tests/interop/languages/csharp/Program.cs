// The scenario with StackExchange.Redis.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

const string Text = "grüße\r\n€";
const string Script = "return {KEYS[1], ARGV[1], 7, {'x'}}";
const string Increment = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const string OwnError = "return redis.error_reply('MINE own words')";
const string Both = "return redis.call('MGET', KEYS[1], KEYS[2])";

int Port(string variable) => int.Parse(Environment.GetEnvironmentVariable(variable) ?? "0");

ConfigurationOptions Place(int port) => new()
{
    EndPoints = { { "127.0.0.1", port } },
    AllowAdmin = true,
    AbortOnConnectFail = true,
    ConnectTimeout = 10_000,
    SyncTimeout = 20_000,
};

void Same<T>(T got, T wanted)
{
    var equal = got is byte[] a && wanted is byte[] b ? a.SequenceEqual(b) : Equals(got, wanted);
    if (!equal) throw new Exception($"{got} instead of {wanted}");
}

void Fails(string part, Action call)
{
    try
    {
        call();
    }
    catch (Exception error) when (error is RedisException || error.InnerException is RedisException)
    {
        if ($"{error.Message} {error.InnerException?.Message}".Contains(part)) return;
        throw new Exception($"{error.Message} instead of {part}");
    }
    throw new Exception($"no error with {part}");
}

var connection = ConnectionMultiplexer.Connect(Place(Port("REDIS_PORT")));
var server = connection.GetServers()[0];
var r = connection.GetDatabase();

void Strings()
{
    server.FlushAllDatabases();
    var odd = Enumerable.Range(0, 256).Select(n => (byte)n).ToArray();
    r.StringSet(odd, odd);
    Same((byte[]?)r.StringGet(odd), odd);
    foreach (var value in new[] { "", new string('x', 1_000_000), Text })
    {
        r.StringSet("text", value);
        Same((string?)r.StringGet("text"), value);
    }
    Same(r.StringLength("text"), 12);
    r.StringSet([new("a", 1), new("b", 2)]);
    var values = r.StringGet(["a", "none", "b"]);
    Same(string.Join(",", values.Select(value => value.IsNull ? "nil" : value.ToString())), "1,nil,2");
    Same(r.StringIncrement("a", 41), 42);
    Fails("ERR value is not an integer", () => r.StringIncrement("text"));
    Same(r.StringAppend("b", "34"), 3);
    Same((string?)r.StringGetRange("b", 1, -1), "34");
}

void Expiry()
{
    r.StringSet("e", 1, TimeSpan.FromMinutes(1));
    var left = r.KeyTimeToLive("e");
    Same(left > TimeSpan.Zero && left <= TimeSpan.FromMinutes(1), true);
    Same(r.KeyPersist("e"), true);
    Same(r.KeyTimeToLive("e"), null);
    r.KeyExpire("e", TimeSpan.FromSeconds(100));
    Same(r.KeyTimeToLive("e") > TimeSpan.FromSeconds(98), true);
    r.StringSet("short", "x", TimeSpan.FromMilliseconds(30));
    Thread.Sleep(60);
    Same(r.StringGet("short").IsNull, true);
    Same(r.StringSet("e", 2, when: When.NotExists), false);
    Same((string?)r.StringGetDelete("e"), "1");
}

void Hashes()
{
    r.HashSet("h", [new("f1", "v1"), new("f2", new byte[] { 0, 255 })]);
    Same(r.HashGetAll("h").Length, 2);
    Same((byte[]?)r.HashGet("h", "f2"), [0, 255]);
    Same(r.HashIncrement("h", "n", 5), 5);
    Same(r.HashIncrement("h", "n", 0.5), 5.5);
    Same(r.HashGet("h", ["f1", "none"])[1].IsNull, true);
    Same(r.HashExists("h", "none"), false);
    Same(r.HashDelete("h", ["f1", "none"]), 1);
    Same(r.HashLength("h"), 2);
}

void SortedSets()
{
    SortedSetEntry[] members = [new("one", 1), new("two", 2.5), new("top", double.PositiveInfinity)];
    Same(r.SortedSetAdd("z", members), 3);
    Same(r.SortedSetRangeByRankWithScores("z").SequenceEqual(members), true);
    Same(string.Join(",", r.SortedSetRangeByScore("z", 1, exclude: Exclude.Start)), "two,top");
    Same(r.SortedSetIncrement("z", "one", 10), 11);
    Same(r.SortedSetRank("z", "one"), 1);
    Same(r.SortedSetRank("z", "none"), null);
    Same(r.SortedSetScore("z", "two"), 2.5);
    Same(r.SortedSetPop("z")?.Element.ToString(), "two");
    Same(r.SortedSetLength("z"), 2);
}

void Streams()
{
    Same(r.StreamCreateConsumerGroup("s", "g", "0", createStream: true), true);
    var ids = new[] { 1, 2, 3 }.Select(n => r.StreamAdd("s", "n", n)).ToArray();
    Same(ids.Distinct().Count(), 3);
    Same(r.StreamLength("s"), 3);
    var read = r.StreamReadGroup("s", "g", "alice", ">", count: 2);
    Same(string.Join(",", read.Select(entry => entry["n"])), "1,2");
    Same(r.StreamPending("s", "g").PendingMessageCount, 2);
    Same(r.StreamAcknowledge("s", "g", ids[0]), 1);
    Same((string?)r.StreamClaim("s", "g", "bob", 0, [ids[1]])[0]["n"], "2");
    Same(r.StreamRange("s").Length, 3);
    Fails("BUSYGROUP", () => r.StreamCreateConsumerGroup("s", "g", "0"));
}

void Scan()
{
    for (var n = 0; n < 500; n++) r.StringSet($"scan:{n}", n, flags: CommandFlags.FireAndForget);
    r.Ping();
    Same(server.Keys(pattern: "scan:*", pageSize: 50).Distinct().Count(), 500);
}

void Pipeline()
{
    var sent = Enumerable.Range(0, 500).Select(_ => r.StringIncrementAsync("p")).ToArray();
    var wrong = r.ListLeftPushAsync("p", "x");
    var last = r.StringIncrementAsync("p");
    Same(r.Wait(last), 501);
    Same(sent[499].Result, 500);
    Fails("WRONGTYPE", () => r.Wait(wrong));
}

void Transaction()
{
    var tx = r.CreateTransaction();
    var set = tx.StringSetAsync("t", 1);
    var number = tx.StringIncrementAsync("t");
    Same(tx.Execute(), true);
    Same(r.Wait(set) && r.Wait(number) == 2, true);
    // What is watched is told as a condition; it does not hold.
    var undone = r.CreateTransaction();
    undone.AddCondition(Condition.StringEqual("t", "other"));
    _ = undone.StringSetAsync("t", 0);
    Same(undone.Execute(), false);
    Same((string?)r.StringGet("t"), "2");
}

void Scripts()
{
    var reply = (RedisResult[])r.ScriptEvaluate(Script, ["k"], ["v"])!;
    Same($"{reply[0]},{reply[1]},{reply[2]},{((RedisResult[])reply[3]!)[0]}", "k,v,7,x");
    Fails("NOSCRIPT", () => r.Execute("EVALSHA", new string('0', 40), 0));
    var sha = server.ScriptLoad(Increment);
    Same((int)r.ScriptEvaluate(sha, ["counter"], [3]), 3);
    Same((int)r.ScriptEvaluate(sha, ["counter"], [3]), 6);
    Fails("MINE", () => r.ScriptEvaluate(OwnError));
}

void PubSub()
{
    var heard = new System.Collections.Concurrent.ConcurrentBag<string>();
    using var done = new CountdownEvent(2);
    var subscriber = connection.GetSubscriber();
    foreach (var channel in new[] { RedisChannel.Literal("news"), RedisChannel.Pattern("n*s") })
    {
        subscriber.Subscribe(channel, (_, message) =>
        {
            heard.Add(message!);
            done.Signal();
        });
    }
    Same(r.Publish(RedisChannel.Literal("news"), "\0hello"), 2);
    Same(done.Wait(10_000), true);
    Same(string.Join(",", heard), "\0hello,\0hello");
    subscriber.UnsubscribeAll();
}

void Resp3()
{
    var options = Place(Port("REDIS_PORT"));
    options.Protocol = RedisProtocol.Resp3;
    using var three = ConnectionMultiplexer.Connect(options);
    var database = three.GetDatabase();
    database.HashSet("h3", "a", 1);
    Same(database.Execute("HGETALL", "h3").Resp3Type, ResultType.Map);
    database.SortedSetAdd("z3", "m", 1.5);
    Same(database.Execute("ZSCORE", "z3", "m").Resp3Type, ResultType.Double);
}

void Tls()
{
    var authority = new X509Certificate2(Environment.GetEnvironmentVariable("REDIS_CA")!);
    ConfigurationOptions Secure(bool trusting)
    {
        var options = Place(Port("REDIS_TLS_PORT"));
        options.Ssl = true;
        options.SslHost = "localhost";
        if (trusting)
        {
            options.CertificateValidation += (_, certificate, _, errors) =>
            {
                using var chain = new X509Chain();
                chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.CustomTrustStore.Add(authority);
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                return (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0
                    && chain.Build(new X509Certificate2(certificate!));
            };
        }
        return options;
    }
    using var secure = ConnectionMultiplexer.Connect(Secure(true));
    var value = new string('s', 100_000);
    secure.GetDatabase().StringSet("secret", value);
    Same((string?)secure.GetDatabase().StringGet("secret"), value);
    Fails("", () => ConnectionMultiplexer.Connect(Secure(false)));
}

void Acl()
{
    ConfigurationOptions User(string password)
    {
        var options = Place(Port("REDIS_PORT"));
        (options.User, options.Password) = ("app", password);
        return options;
    }
    using var app = ConnectionMultiplexer.Connect(User("sesame"));
    app.GetDatabase().StringSet("app:k", "v");
    Same((string?)app.GetDatabase().StringGet("app:k"), "v");
    Fails("NOPERM", () => app.GetDatabase().StringGet("other"));
    Fails("WRONGPASS", () => ConnectionMultiplexer.Connect(User("wrong")));
}

void Cluster()
{
    if (Port("REDIS_CLUSTER_PORT") == 0) throw new NotSupportedException("no cluster");
    using var many = ConnectionMultiplexer.Connect(Place(Port("REDIS_CLUSTER_PORT")));
    var database = many.GetDatabase();
    for (var n = 0; n < 100; n++) database.StringSet($"c:{n}", n);
    for (var n = 0; n < 100; n++) Same((int)database.StringGet($"c:{n}"), n);
    database.StringSet([new("{tag}a", 1), new("{tag}b", 2)]);
    Same(string.Join(",", database.StringGet(["{tag}a", "{tag}b"])), "1,2");
    Same(((RedisResult[])database.ScriptEvaluate(Both, ["{tag}a", "{tag}b"])!).Length, 2);
    Same(many.GetServers().Length, 3);
}

Console.WriteLine($"version StackExchange.Redis {typeof(ConnectionMultiplexer).Assembly.GetName().Version!.ToString(3)}");
var steps = new (string Name, Action Do)[]
{
    ("strings", Strings), ("expiry", Expiry), ("hashes", Hashes), ("sorted_sets", SortedSets),
    ("streams", Streams), ("scan", Scan), ("pipeline", Pipeline), ("transaction", Transaction),
    ("script", Scripts), ("pubsub", PubSub),
    ("blocking", () => throw new NotSupportedException("shares one connection, which nothing may block")),
    ("resp3", Resp3), ("tls", Tls), ("acl", Acl), ("cluster", Cluster),
};
var failed = 0;
foreach (var (name, step) in steps)
{
    try
    {
        step();
        Console.WriteLine($"ok {name}");
    }
    catch (NotSupportedException why)
    {
        Console.WriteLine($"none {name}: {why.Message}");
    }
    catch (Exception error)
    {
        failed++;
        Console.Error.WriteLine(error);
        Console.WriteLine($"fail {name}: {error.Message.ReplaceLineEndings(" ")}");
    }
}
return failed == 0 ? 0 : 1;
