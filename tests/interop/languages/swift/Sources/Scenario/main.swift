// The scenario with RediStack.
import Foundation
import NIOCore
import NIOPosix
import RediStack

struct NotHere: Error { let why: String }
struct Wrong: Error { let why: String }

let text = "grüße\r\n€"
let script = "return {KEYS[1], ARGV[1], 7, {'x'}}"
let increment = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
let ownError = "return redis.error_reply('MINE own words')"
let port = Int(ProcessInfo.processInfo.environment["REDIS_PORT"]!)!
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

func connect(user: String? = nil, password: String? = nil) throws -> RedisConnection {
    let place = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    let settings = try RedisConnection.Configuration(address: place, username: user, password: password)
    return try RedisConnection.make(configuration: settings, boundEventLoop: group.next()).wait()
}

let r = try connect()

/// The reply to the words of a command.
func call(_ words: String..., on connection: RedisConnection = r) throws -> RESPValue {
    let rest = words.dropFirst().map { RESPValue(from: $0) }
    return try connection.send(command: words[0], with: Array(rest)).wait()
}

func same<T: Equatable>(_ got: T, _ wanted: T) throws {
    if got != wanted { throw Wrong(why: "\(got) instead of \(wanted)") }
}

func fails(_ part: String, _ step: () throws -> Void) throws {
    do {
        try step()
    } catch {
        if "\(error)".contains(part) { return }
        throw Wrong(why: "\(error) instead of \(part)")
    }
    throw Wrong(why: "no error with \(part)")
}

func strings() throws {
    _ = try call("FLUSHALL")
    let odd = RESPValue.bulkString(ByteBuffer(bytes: (0...255).map { UInt8($0) }))
    _ = try r.send(command: "SET", with: [odd, odd]).wait()
    try same(try r.send(command: "GET", with: [odd]).wait(), odd)
    for value in ["", String(repeating: "x", count: 1_000_000), text] {
        try r.set("text", to: value).wait()
        try same(try r.get("text", as: String.self).wait(), value)
    }
    try same(try r.strln("text").wait(), 12)
    try r.mset(["a": 1, "b": 2]).wait()
    try same(try r.mget(["a", "none", "b"], as: String.self).wait(), ["1", nil, "2"])
    try same(try r.increment("a", by: 41).wait(), 42)
    try fails("ERR value is not an integer") { _ = try r.increment("text").wait() }
    try same(try call("APPEND", "b", "34").int, 3)
    try same(try call("GETRANGE", "b", "1", "-1").string, "34")
}

func expiry() throws {
    _ = try call("SET", "e", "1", "PX", "60000")
    let left = try call("PTTL", "e").int ?? 0
    try same(left > 0 && left <= 60_000, true)
    try same(try call("PERSIST", "e").int, 1)
    try same(try call("TTL", "e").int, -1)
    try same(try r.expire("e", after: .seconds(100)).wait(), true)
    try same((try call("TTL", "e").int ?? 0) >= 99, true)
    try same(try call("TTL", "none").int, -2)
    _ = try call("SET", "short", "x", "PX", "30")
    Thread.sleep(forTimeInterval: 0.06)
    try same(try call("GET", "short").isNull, true)
    try same(try r.setnx("e", to: 2).wait(), false)
    try same(try call("GETDEL", "e").string, "1")
}

func hashes() throws {
    try r.hmset(["f1": "v1", "f2": "\0\u{1}"], in: "h").wait()
    try same(try r.hgetall(from: "h", as: String.self).wait().compactMapValues { $0 }, ["f1": "v1", "f2": "\0\u{1}"])
    try same(try r.hincrby(5, field: "n", in: "h").wait(), 5)
    try same(try r.hincrbyfloat(0.5, field: "n", in: "h").wait(), 5.5)
    try same(try r.hmget(["f1", "none"], from: "h", as: String.self).wait(), ["v1", nil])
    try same(try r.hexists("none", in: "h").wait(), false)
    try same(try r.hdel(["f1", "none"], from: "h").wait(), 1)
    try same(try r.hlen(of: "h").wait(), 2)
}

func sortedSets() throws {
    try same(try call("ZADD", "z", "1", "one", "2.5", "two", "inf", "top").int, 3)
    let all = try call("ZRANGE", "z", "0", "-1", "WITHSCORES").array?.compactMap(\.string)
    try same(all, ["one", "1", "two", "2.5", "top", "inf"])
    let above = try call("ZRANGEBYSCORE", "z", "(1", "+inf").array?.compactMap(\.string)
    try same(above, ["two", "top"])
    try same(try r.zincrby(10, element: "one", in: "z").wait(), 11)
    try same(try r.zrank(of: "one", in: "z").wait(), 1)
    try same(try r.zrank(of: "none", in: "z").wait(), nil)
    try same(try r.zscore(of: "two", in: "z").wait(), 2.5)
    try same(try call("ZPOPMIN", "z").array?.first?.string, "two")
    try same(try r.zcard(of: "z").wait(), 2)
}

func streams() throws {
    try same(try call("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM").string, "OK")
    let ids = try ["1", "2", "3"].map { try call("XADD", "s", "*", "n", $0).string ?? "" }
    try same(Set(ids).count, 3)
    try same(try call("XLEN", "s").int, 3)
    let read = try call("XREADGROUP", "GROUP", "g", "alice", "COUNT", "2", "STREAMS", "s", ">")
    try same(read.array?.first?.array?[1].array?.count, 2)
    try same(try call("XPENDING", "s", "g").array?.first?.int, 2)
    try same(try call("XACK", "s", "g", ids[0]).int, 1)
    try same(try call("XCLAIM", "s", "g", "bob", "0", ids[1]).array?.first?.array?.first?.string, ids[1])
    try same(try call("XRANGE", "s", "-", "+").array?.count, 3)
    try fails("BUSYGROUP") { _ = try call("XGROUP", "CREATE", "s", "g", "0") }
}

func scan() throws {
    for n in 0..<500 { try r.set(RedisKey("scan:\(n)"), to: n).wait() }
    var found = Set<String>()
    var cursor = 0
    repeat {
        let (next, keys) = try r.scan(startingFrom: cursor, matching: "scan:*", count: 50).wait()
        found.formUnion(keys)
        cursor = next
    } while cursor != 0
    try same(found.count, 500)
}

func pipeline() throws {
    r.sendCommandsImmediately = false
    defer { r.sendCommandsImmediately = true }
    let sent = (0..<500).map { _ in r.increment("p") }
    let wrong = r.send(command: "LPUSH", with: [.init(from: "p"), .init(from: "x")])
    let last = r.increment("p")
    r.sendCommandsImmediately = true
    try same(try last.wait(), 501)
    try same(try sent[499].wait(), 500)
    try fails("WRONGTYPE") { _ = try wrong.wait() }
}

func transaction() throws {
    _ = try call("MULTI")
    _ = try call("SET", "t", "1")
    _ = try call("INCR", "t")
    try same(try call("EXEC").array?.last?.int, 2)
    let other = try connect()
    _ = try call("WATCH", "t")
    _ = try call("SET", "t", "10", on: other)
    _ = try call("MULTI")
    _ = try call("SET", "t", "0")
    try same(try call("EXEC").isNull, true)
    try same(try call("GET", "t").string, "10")
    try other.close().wait()
}

func scripts() throws {
    let reply = try call("EVAL", script, "1", "k", "v").array
    try same(reply?[0].string, "k")
    try same(reply?[2].int, 7)
    try fails("NOSCRIPT") { _ = try call("EVALSHA", String(repeating: "0", count: 40), "0") }
    let sha = try call("SCRIPT", "LOAD", increment).string ?? ""
    try same(try call("EVALSHA", sha, "1", "counter", "3").int, 3)
    try same(try call("EVALSHA", sha, "1", "counter", "3").int, 6)
    try fails("MINE") { _ = try call("EVAL", ownError, "0") }
}

func pubsub() throws {
    let own = try connect()
    let done = DispatchSemaphore(value: 0)
    var heard: [String] = []
    let take: RedisSubscriptionMessageReceiver = { _, message in
        heard.append(message.string ?? "")
        done.signal()
    }
    try own.subscribe(to: ["news"], messageReceiver: take).wait()
    try own.psubscribe(to: ["n*s"], messageReceiver: take).wait()
    try same(try r.publish("\0hello", to: "news").wait(), 2)
    for _ in 0..<2 { try same(done.wait(timeout: .now() + 10) == .success, true) }
    try same(heard, ["\0hello", "\0hello"])
    try own.close().wait()
}

func blocking() throws {
    try same(try call("BLPOP", "idle", "0.1").isNull, true)
    let other = try connect()
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) {
        _ = try? call("LPUSH", "queue", "job", on: other)
    }
    try same(try call("BLPOP", "queue", "5").array?.last?.string, "job")
    try other.close().wait()
}

func acl() throws {
    let app = try connect(user: "app", password: "sesame")
    _ = try call("SET", "app:k", "v", on: app)
    try same(try call("GET", "app:k", on: app).string, "v")
    try fails("NOPERM") { _ = try call("GET", "other", on: app) }
    try app.close().wait()
    try fails("WRONGPASS") { _ = try connect(user: "app", password: "wrong") }
}

setvbuf(stdout, nil, _IOLBF, 0)
print("version RediStack 1")
let steps: [(String, () throws -> Void)] = [
    ("strings", strings), ("expiry", expiry), ("hashes", hashes), ("sorted_sets", sortedSets),
    ("streams", streams), ("scan", scan), ("pipeline", pipeline), ("transaction", transaction),
    ("script", scripts), ("pubsub", pubsub), ("blocking", blocking),
    ("resp3", { throw NotHere(why: "speaks RESP2") }),
    ("tls", { throw NotHere(why: "is left to the channels it is built on") }), ("acl", acl),
    ("cluster", { throw NotHere(why: "knows no clusters") }),
]
var failed = false
for (name, step) in steps {
    do {
        try step()
        print("ok \(name)")
    } catch let none as NotHere {
        print("none \(name): \(none.why)")
    } catch {
        failed = true
        print("fail \(name): \(error)")
    }
}
exit(failed ? 1 : 0)
