// The scenario with Poco::Redis.
#include <Poco/Delegate.h>
#include <Poco/Redis/Array.h>
#include <Poco/Redis/AsyncReader.h>
#include <Poco/Redis/Client.h>
#include <Poco/Redis/Command.h>
#include <Poco/Redis/Error.h>
#include <Poco/Redis/Exception.h>
#include <Poco/Version.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

using Poco::Int64;
using Poco::Redis::Array;
using Poco::Redis::BulkString;
using Poco::Redis::Client;
using Poco::Redis::Command;
using Words = std::vector<std::string>;

namespace {

struct NotHere : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const int port = std::atoi(std::getenv("REDIS_PORT"));

Array command(const Words& words)
{
    Array made;
    for (const auto& word : words) made.add(word);
    return made;
}

template <typename Reply> Reply call(Client& on, const Words& words)
{
    return on.execute<Reply>(command(words));
}

std::string text(Client& on, const Words& words)
{
    return call<BulkString>(on, words).value();
}

Int64 number(Client& on, const Words& words) { return call<Int64>(on, words); }

bool is_nil(Client& on, const Words& words) { return call<BulkString>(on, words).isNull(); }

// An array as text: [a, 1, nil, [b]].
std::string shown(const Array& values)
{
    std::string out = "[";
    for (size_t n = 0; !values.isNull() && n < values.size(); ++n) {
        if (n) out += ", ";
        if (values.getType(n) == Poco::Redis::RedisTypeTraits<Array>::TypeId) {
            out += shown(values.get<Array>(n));
        } else if (values.getType(n) == Poco::Redis::RedisTypeTraits<BulkString>::TypeId) {
            const auto value = values.get<BulkString>(n);
            out += value.isNull() ? "nil" : value.value();
        } else if (values.getType(n) == Poco::Redis::RedisTypeTraits<Int64>::TypeId) {
            out += std::to_string(values.get<Int64>(n));
        } else {
            out += values.get<std::string>(n);
        }
    }
    return out + "]";
}

std::string list(Client& on, const Words& words) { return shown(call<Array>(on, words)); }

template <typename Got, typename Wanted> void same(const Got& got, const Wanted& wanted)
{
    if (got == wanted) return;
    std::ostringstream out;
    out << got << " instead of " << wanted;
    throw std::runtime_error(out.str().substr(0, 300));
}

void fails(const std::string& beginning, const std::function<void()>& step)
{
    try {
        step();
    } catch (const Poco::Redis::RedisException& error) {
        if (error.message().rfind(beginning, 0) == 0) return;
        throw std::runtime_error(error.message() + " instead of " + beginning);
    }
    throw std::runtime_error("no error with " + beginning);
}

void pause(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

void strings(Client& r)
{
    std::string odd;
    for (int n = 0; n < 256; ++n) odd += static_cast<char>(n);
    const std::string big(1000000, 'x'), umlauts = "gr\xc3\xbc\xc3\x9f" "e\r\n\xe2\x82\xac";
    call<std::string>(r, {"FLUSHALL"});
    for (const auto& [key, value] : {std::pair{odd, odd}, {"empty", ""}, {"big", big}, {"text", umlauts}}) {
        same(r.execute<std::string>(Command::set(key, value)), "OK");
        same(r.execute<BulkString>(Command::get(key)).value(), value);
    }
    same(number(r, {"STRLEN", "text"}), 12);
    call<std::string>(r, {"MSET", "a", "1", "b", "2"});
    same(list(r, {"MGET", "a", "none", "b"}), "[1, nil, 2]");
    same(r.execute<Int64>(Command::incr("a", 41)), 42);
    fails("ERR value is not an integer", [&] { number(r, {"INCR", "text"}); });
    same(number(r, {"APPEND", "b", "34"}), 3);
    same(text(r, {"GETRANGE", "b", "1", "-1"}), "34");
}

void expiry(Client& r)
{
    call<std::string>(r, {"SET", "e", "1", "PX", "60000"});
    const auto left = number(r, {"PTTL", "e"});
    same(left > 0 && left <= 60000, true);
    same(number(r, {"PERSIST", "e"}), 1);
    same(number(r, {"TTL", "e"}), -1);
    r.execute<Int64>(Command::expire("e", 100));
    same(number(r, {"TTL", "e"}) >= 99, true);
    same(number(r, {"TTL", "none"}), -2);
    call<std::string>(r, {"SET", "short", "x", "PX", "30"});
    pause(60);
    same(is_nil(r, {"GET", "short"}), true);
    same(is_nil(r, {"SET", "e", "2", "NX"}), true);
    same(text(r, {"GETDEL", "e"}), "1");
}

void hashes(Client& r)
{
    const std::string odd("\0\xff", 2);
    same(number(r, {"HSET", "h", "f1", "v1", "f2", odd}), 2);
    same(list(r, {"HGETALL", "h"}), "[f1, v1, f2, " + odd + "]");
    same(r.execute<Int64>(Command::hincrby("h", "n", 5)), 5);
    same(text(r, {"HINCRBYFLOAT", "h", "n", "0.5"}), "5.5");
    same(list(r, {"HMGET", "h", "f1", "none"}), "[v1, nil]");
    same(r.execute<Int64>(Command::hexists("h", "none")), 0);
    same(number(r, {"HDEL", "h", "f1", "none"}), 1);
    same(r.execute<Int64>(Command::hlen("h")), 2);
}

void sorted_sets(Client& r)
{
    same(number(r, {"ZADD", "z", "1", "one", "2.5", "two", "inf", "top"}), 3);
    same(list(r, {"ZRANGE", "z", "0", "-1", "WITHSCORES"}), "[one, 1, two, 2.5, top, inf]");
    same(list(r, {"ZRANGEBYSCORE", "z", "(1", "+inf"}), "[two, top]");
    same(text(r, {"ZINCRBY", "z", "10", "one"}), "11");
    same(number(r, {"ZRANK", "z", "one"}), 1);
    same(is_nil(r, {"ZRANK", "z", "none"}), true);
    same(text(r, {"ZSCORE", "z", "two"}), "2.5");
    same(list(r, {"ZPOPMIN", "z"}), "[two, 2.5]");
    same(number(r, {"ZCARD", "z"}), 2);
}

void streams(Client& r)
{
    call<std::string>(r, {"XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"});
    Words ids;
    for (const auto* n : {"1", "2", "3"}) ids.push_back(text(r, {"XADD", "s", "*", "n", n}));
    same(std::set<std::string>(ids.begin(), ids.end()).size(), 3u);
    same(number(r, {"XLEN", "s"}), 3);
    same(list(r, {"XREADGROUP", "GROUP", "g", "alice", "COUNT", "2", "STREAMS", "s", ">"}),
         "[[s, [[" + ids[0] + ", [n, 1]], [" + ids[1] + ", [n, 2]]]]]");
    same(call<Array>(r, {"XPENDING", "s", "g"}).get<Int64>(0), 2);
    same(number(r, {"XACK", "s", "g", ids[0]}), 1);
    same(list(r, {"XCLAIM", "s", "g", "bob", "0", ids[1]}), "[[" + ids[1] + ", [n, 2]]]");
    same(call<Array>(r, {"XRANGE", "s", "-", "+"}).size(), 3u);
    fails("BUSYGROUP", [&] { call<std::string>(r, {"XGROUP", "CREATE", "s", "g", "0"}); });
}

void scan(Client& r)
{
    Words all{"MSET"};
    for (int n = 0; n < 500; ++n) {
        all.push_back("scan:" + std::to_string(n));
        all.push_back("x");
    }
    call<std::string>(r, all);
    std::set<std::string> found;
    std::string cursor = "0";
    do {
        const auto page = call<Array>(r, {"SCAN", cursor, "MATCH", "scan:*", "COUNT", "50"});
        cursor = page.get<BulkString>(0).value();
        const auto keys = page.get<Array>(1);
        for (size_t n = 0; n < keys.size(); ++n) found.insert(keys.get<BulkString>(n).value());
    } while (cursor != "0");
    same(found.size(), 500u);
}

void pipeline(Client& r)
{
    std::vector<Array> commands(500, command({"INCR", "p"}));
    commands.push_back(command({"LPUSH", "p", "x"}));
    commands.push_back(command({"INCR", "p"}));
    const auto replies = r.sendCommands(commands);
    same(replies.size(), 502u);
    same(replies.get<Int64>(501), 501);
    same(replies.get<Poco::Redis::Error>(500).getMessage().rfind("WRONGTYPE", 0), 0u);
}

void transaction(Client& r)
{
    const auto change = [&](const Words& words) { same(call<std::string>(r, words), "QUEUED"); };
    call<std::string>(r, {"MULTI"});
    change({"SET", "t", "1"});
    change({"INCR", "t"});
    same(list(r, {"EXEC"}), "[OK, 2]");
    Client other("127.0.0.1", port);
    call<std::string>(r, {"WATCH", "t"});
    call<std::string>(other, {"SET", "t", "10"});
    call<std::string>(r, {"MULTI"});
    change({"SET", "t", "0"});
    same(call<Array>(r, {"EXEC"}).isNull(), true);
    same(text(r, {"GET", "t"}), "10");
}

void script(Client& r)
{
    same(list(r, {"EVAL", "return {KEYS[1], ARGV[1], 7, {'x'}}", "1", "k", "v"}), "[k, v, 7, [x]]");
    fails("NOSCRIPT", [&] { number(r, {"EVALSHA", std::string(40, '0'), "0"}); });
    const auto sha = text(r, {"SCRIPT", "LOAD", "return redis.call('INCRBY', KEYS[1], ARGV[1])"});
    same(number(r, {"EVALSHA", sha, "1", "counter", "3"}), 3);
    same(number(r, {"EVALSHA", sha, "1", "counter", "3"}), 6);
    fails("MINE", [&] { number(r, {"EVAL", "return redis.error_reply('MINE own words')", "0"}); });
}

struct Heard {
    std::mutex lock;
    Words messages;

    void take(const void*, Poco::Redis::RedisEventArgs& event)
    {
        const std::lock_guard<std::mutex> held(lock);
        if (!event.message().isNull()) messages.push_back(event.message()->toString());
    }

    bool wait(size_t count)
    {
        for (int n = 0; n < 1000; ++n, pause(10)) {
            const std::lock_guard<std::mutex> held(lock);
            if (messages.size() >= count) return true;
        }
        return false;
    }
};

void pubsub(Client& r)
{
    Client own("127.0.0.1", port);
    Heard heard;
    Poco::Redis::AsyncReader reader(own);
    reader.redisResponse += Poco::delegate(&heard, &Heard::take);
    own.execute<void>(command({"SUBSCRIBE", "news"}));
    own.execute<void>(command({"PSUBSCRIBE", "n*s"}));
    own.flush();
    reader.start();
    same(heard.wait(2), true);
    same(number(r, {"PUBLISH", "news", std::string("\0hello", 6)}), 2);
    same(heard.wait(4), true);
    const std::string hello("$6\r\n\0hello\r\n", 12);
    same(heard.messages[2], "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n" + hello);
    same(heard.messages[3], "*4\r\n$8\r\npmessage\r\n$3\r\nn*s\r\n$4\r\nnews\r\n" + hello);
    reader.redisResponse -= Poco::delegate(&heard, &Heard::take);
    own.execute<void>(command({"UNSUBSCRIBE"}));
    own.execute<void>(command({"PUNSUBSCRIBE"}));
    own.flush();
    reader.stop();
}

void blocking(Client& r)
{
    same(call<Array>(r, {"BLPOP", "idle", "0.1"}).isNull(), true);
    std::thread pusher([] {
        Client own("127.0.0.1", port);
        pause(50);
        number(own, {"LPUSH", "queue", "job"});
    });
    const auto got = list(r, {"BLPOP", "queue", "5"});
    pusher.join();
    same(got, "[queue, job]");
}

void resp3(Client&) { throw NotHere("speaks RESP2"); }

void tls(Client&) { throw NotHere("knows no TLS in this version"); }

void acl(Client&)
{
    Client app("127.0.0.1", port);
    same(call<std::string>(app, {"AUTH", "app", "sesame"}), "OK");
    call<std::string>(app, {"SET", "app:k", "v"});
    same(text(app, {"GET", "app:k"}), "v");
    fails("NOPERM", [&] { text(app, {"GET", "other"}); });
    fails("WRONGPASS", [&] { call<std::string>(app, {"AUTH", "app", "wrong"}); });
}

void cluster(Client&) { throw NotHere("knows no clusters"); }

} // namespace

int main()
{
    std::cout << std::unitbuf << "version Poco::Redis " << ((POCO_VERSION >> 24) & 0xff) << '.'
              << ((POCO_VERSION >> 16) & 0xff) << '.' << ((POCO_VERSION >> 8) & 0xff) << '\n';
    Client r("127.0.0.1", port);
    const std::vector<std::pair<std::string, void (*)(Client&)>> steps{
        {"strings", strings}, {"expiry", expiry}, {"hashes", hashes}, {"sorted_sets", sorted_sets},
        {"streams", streams}, {"scan", scan}, {"pipeline", pipeline}, {"transaction", transaction},
        {"script", script}, {"pubsub", pubsub}, {"blocking", blocking}, {"resp3", resp3},
        {"tls", tls}, {"acl", acl}, {"cluster", cluster},
    };
    int status = 0;
    for (const auto& [name, run] : steps) {
        try {
            run(r);
            std::cout << "ok " << name << '\n';
        } catch (const NotHere& why) {
            std::cout << "none " << name << ": " << why.what() << '\n';
        } catch (const Poco::Exception& why) {
            std::cout << "fail " << name << ": " << why.displayText() << '\n';
            status = 1;
        } catch (const std::exception& why) {
            std::cout << "fail " << name << ": " << why.what() << '\n';
            status = 1;
        }
    }
    return status;
}
