/* The scenario in Objective-C: objects of its own runtime over hiredis. */
#import <objc/Object.h>
#import <objc/runtime.h>

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int port;
static int failures;

/* A reply, which knows how to be compared. */
@interface Reply : Object
{
    redisReply *reply;
}
+ (Reply *)of:(redisReply *)found;
- (BOOL)isText:(const char *)text;
- (BOOL)isText:(const char *)text length:(size_t)length;
- (BOOL)isNumber:(long long)number;
- (BOOL)isNothing;
- (BOOL)isErrorWith:(const char *)beginning;
- (size_t)count;
- (Reply *)at:(size_t)place;
- (const char *)text;
- (long long)number;
@end

@implementation Reply
+ (Reply *)of:(redisReply *)found
{
    Reply *made = class_createInstance(self, 0);
    made->reply = found;
    return made;
}
- (BOOL)isText:(const char *)text length:(size_t)length
{
    return reply != NULL && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS)
        && (size_t)reply->len == length && memcmp(reply->str, text, length) == 0;
}
- (BOOL)isText:(const char *)text
{
    return [self isText:text length:strlen(text)];
}
- (BOOL)isNumber:(long long)number
{
    return reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == number;
}
- (BOOL)isNothing
{
    return reply != NULL && reply->type == REDIS_REPLY_NIL;
}
- (BOOL)isErrorWith:(const char *)beginning
{
    return reply != NULL && reply->type == REDIS_REPLY_ERROR
        && strncmp(reply->str, beginning, strlen(beginning)) == 0;
}
- (size_t)count
{
    return reply != NULL && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}
- (Reply *)at:(size_t)place
{
    return [Reply of:place < [self count] ? reply->element[place] : NULL];
}
- (const char *)text
{
    return reply != NULL && reply->str != NULL ? reply->str : "";
}
- (long long)number
{
    return reply != NULL ? reply->integer : 0;
}
@end

/* A connection. */
@interface Connection : Object
{
    redisContext *context;
}
+ (Connection *)open;
- (Reply *)call:(const char *)format, ...;
- (void)append:(const char *)format, ...;
- (Reply *)next;
- (void)close;
@end

@implementation Connection
+ (Connection *)open
{
    struct timeval patience = {10, 0};
    Connection *made = class_createInstance(self, 0);
    made->context = redisConnectWithTimeout("127.0.0.1", port, patience);
    if (made->context == NULL || made->context->err) {
        printf("fail connection: none to port %d\n", port);
        exit(1);
    }
    redisSetTimeout(made->context, patience);
    return made;
}
- (Reply *)call:(const char *)format, ...
{
    va_list words;
    va_start(words, format);
    redisReply *found = redisvCommand(context, format, words);
    va_end(words);
    return [Reply of:found];
}
- (void)append:(const char *)format, ...
{
    va_list words;
    va_start(words, format);
    redisvAppendCommand(context, format, words);
    va_end(words);
}
- (Reply *)next
{
    void *found = NULL;
    redisGetReply(context, &found);
    return [Reply of:found];
}
- (void)close
{
    redisFree(context);
    context = NULL;
}
@end

static void *push(void *nothing)
{
    Connection *own = [Connection open];
    usleep(50000);
    [own call:"LPUSH queue job"];
    [own close];
    return nothing;
}

/* The steps; each tells the first line that does not hold, or nil. */
@interface Scenario : Object
{
    Connection *r;
}
+ (Scenario *)with:(Connection *)connection;
- (const char *)strings;
- (const char *)expiry;
- (const char *)hashes;
- (const char *)sortedSets;
- (const char *)streams;
- (const char *)scan;
- (const char *)pipeline;
- (const char *)transaction;
- (const char *)script;
- (const char *)pubsub;
- (const char *)blocking;
- (const char *)acl;
@end

#define check(...) do { if (!(__VA_ARGS__)) return #__VA_ARGS__; } while (0)

@implementation Scenario
+ (Scenario *)with:(Connection *)connection
{
    Scenario *made = class_createInstance(self, 0);
    made->r = connection;
    return made;
}
- (const char *)strings
{
    static char odd[256], big[1000000];
    const char *text = "gr\xc3\xbc\xc3\x9f" "e\r\n\xe2\x82\xac";
    for (int n = 0; n < 256; n++) odd[n] = (char)n;
    memset(big, 'x', sizeof big);
    check([[r call:"FLUSHALL"] isText:"OK"]);
    check([[r call:"SET %b %b", odd, sizeof odd, odd, sizeof odd] isText:"OK"]);
    check([[r call:"GET %b", odd, sizeof odd] isText:odd length:sizeof odd]);
    check([[r call:"SET empty %s", ""] isText:"OK"]);
    check([[r call:"GET empty"] isText:""]);
    check([[r call:"SET big %b", big, sizeof big] isText:"OK"]);
    check([[r call:"GET big"] isText:big length:sizeof big]);
    check([[r call:"SET text %s", text] isText:"OK"]);
    check([[r call:"GET text"] isText:text]);
    check([[r call:"STRLEN text"] isNumber:12]);
    check([[r call:"MSET a 1 b 2"] isText:"OK"]);
    Reply *values = [r call:"MGET a none b"];
    check([values count] == 3 && [[values at:0] isText:"1"] && [[values at:1] isNothing]);
    check([[values at:2] isText:"2"]);
    check([[r call:"INCRBY a 41"] isNumber:42]);
    check([[r call:"INCR text"] isErrorWith:"ERR value is not an integer"]);
    check([[r call:"APPEND b 34"] isNumber:3]);
    check([[r call:"GETRANGE b 1 -1"] isText:"34"]);
    return NULL;
}
- (const char *)expiry
{
    check([[r call:"SET e 1 PX 60000"] isText:"OK"]);
    long long left = [[r call:"PTTL e"] number];
    check(left > 0 && left <= 60000);
    check([[r call:"PERSIST e"] isNumber:1]);
    check([[r call:"TTL e"] isNumber:-1]);
    check([[r call:"EXPIRE e 100"] isNumber:1]);
    left = [[r call:"TTL e"] number];
    check(left == 99 || left == 100);
    check([[r call:"TTL none"] isNumber:-2]);
    [r call:"SET short x PX 30"];
    usleep(60000);
    check([[r call:"GET short"] isNothing]);
    check([[r call:"SET e 2 NX"] isNothing]);
    check([[r call:"GETDEL e"] isText:"1"]);
    return NULL;
}
- (const char *)hashes
{
    check([[r call:"HSET h f1 v1 f2 %b", "\0\xff", (size_t)2] isNumber:2]);
    Reply *all = [r call:"HGETALL h"];
    check([all count] == 4 && [[all at:1] isText:"v1"]);
    check([[all at:3] isText:"\0\xff" length:2]);
    check([[r call:"HINCRBY h n 5"] isNumber:5]);
    check([[r call:"HINCRBYFLOAT h n 0.5"] isText:"5.5"]);
    all = [r call:"HMGET h f1 none"];
    check([[all at:0] isText:"v1"] && [[all at:1] isNothing]);
    check([[r call:"HEXISTS h none"] isNumber:0]);
    check([[r call:"HDEL h f1 none"] isNumber:1]);
    check([[r call:"HLEN h"] isNumber:2]);
    return NULL;
}
- (const char *)sortedSets
{
    check([[r call:"ZADD z 1 one 2.5 two inf top"] isNumber:3]);
    Reply *all = [r call:"ZRANGE z 0 -1 WITHSCORES"];
    check([all count] == 6 && [[all at:3] isText:"2.5"] && [[all at:5] isText:"inf"]);
    all = [r call:"ZRANGEBYSCORE z (1 +inf"];
    check([all count] == 2 && [[all at:0] isText:"two"] && [[all at:1] isText:"top"]);
    check([[r call:"ZINCRBY z 10 one"] isText:"11"]);
    check([[r call:"ZRANK z one"] isNumber:1]);
    check([[r call:"ZRANK z none"] isNothing]);
    check([[r call:"ZSCORE z two"] isText:"2.5"]);
    check([[[r call:"ZPOPMIN z"] at:0] isText:"two"]);
    check([[r call:"ZCARD z"] isNumber:2]);
    return NULL;
}
- (const char *)streams
{
    char ids[3][64];
    check([[r call:"XGROUP CREATE s g 0 MKSTREAM"] isText:"OK"]);
    for (int n = 0; n < 3; n++) {
        snprintf(ids[n], sizeof ids[n], "%s", [[r call:"XADD s * n %d", n + 1] text]);
        check(n == 0 || strcmp(ids[n], ids[n - 1]) != 0);
    }
    check([[r call:"XLEN s"] isNumber:3]);
    Reply *read = [[r call:"XREADGROUP GROUP g alice COUNT 2 STREAMS s >"] at:0];
    check([[read at:0] isText:"s"] && [[read at:1] count] == 2);
    check([[[[[read at:1] at:1] at:1] at:1] isText:"2"]);
    check([[[r call:"XPENDING s g"] at:0] isNumber:2]);
    check([[r call:"XACK s g %s", ids[0]] isNumber:1]);
    check([[[[r call:"XCLAIM s g bob 0 %s", ids[1]] at:0] at:0] isText:ids[1]]);
    check([[r call:"XRANGE s - +"] count] == 3);
    check([[r call:"XGROUP CREATE s g 0"] isErrorWith:"BUSYGROUP"]);
    return NULL;
}
- (const char *)scan
{
    char seen[500] = {0}, cursor[32] = "0";
    int count = 0;
    for (int n = 0; n < 500; n++) [r append:"SET scan:%d x", n];
    for (int n = 0; n < 500; n++) check([[r next] isText:"OK"]);
    do {
        Reply *page = [r call:"SCAN %s MATCH scan:* COUNT 50", cursor];
        snprintf(cursor, sizeof cursor, "%s", [[page at:0] text]);
        for (size_t n = 0; n < [[page at:1] count]; n++) {
            int number = atoi([[[page at:1] at:n] text] + 5);
            check(number >= 0 && number < 500);
            count += !seen[number];
            seen[number] = 1;
        }
    } while (strcmp(cursor, "0") != 0);
    check(count == 500);
    return NULL;
}
- (const char *)pipeline
{
    for (int n = 0; n < 500; n++) [r append:"INCR p"];
    [r append:"LPUSH p x"];
    [r append:"INCR p"];
    for (int n = 0; n < 500; n++) check([[r next] isNumber:n + 1]);
    check([[r next] isErrorWith:"WRONGTYPE"]);
    check([[r next] isNumber:501]);
    return NULL;
}
- (const char *)transaction
{
    [r call:"MULTI"];
    check([[r call:"SET t 1"] isText:"QUEUED"] && [[r call:"INCR t"] isText:"QUEUED"]);
    Reply *done = [r call:"EXEC"];
    check([[done at:0] isText:"OK"] && [[done at:1] isNumber:2]);
    Connection *other = [Connection open];
    [r call:"WATCH t"];
    [other call:"SET t 10"];
    [r call:"MULTI"];
    [r call:"SET t 0"];
    check([[r call:"EXEC"] isNothing]);
    check([[r call:"GET t"] isText:"10"]);
    [other close];
    return NULL;
}
- (const char *)script
{
    Reply *all = [r call:"EVAL %s 1 k v", "return {KEYS[1], ARGV[1], 7, {'x'}}"];
    check([[all at:0] isText:"k"] && [[all at:1] isText:"v"] && [[all at:2] isNumber:7]);
    check([[[all at:3] at:0] isText:"x"]);
    check([[r call:"EVALSHA 0000000000000000000000000000000000000000 0"] isErrorWith:"NOSCRIPT"]);
    const char *sha = [[r call:"SCRIPT LOAD %s", "return redis.call('INCRBY', KEYS[1], ARGV[1])"] text];
    check([[r call:"EVALSHA %s 1 counter 3", sha] isNumber:3]);
    check([[r call:"EVALSHA %s 1 counter 3", sha] isNumber:6]);
    check([[r call:"EVAL %s 0", "return redis.error_reply('MINE own words')"] isErrorWith:"MINE"]);
    return NULL;
}
- (const char *)pubsub
{
    Connection *listener = [Connection open];
    check([[[listener call:"SUBSCRIBE news"] at:2] isNumber:1]);
    check([[[listener call:"PSUBSCRIBE n*s"] at:2] isNumber:2]);
    check([[r call:"PUBLISH news %b", "\0hello", (size_t)6] isNumber:2]);
    Reply *message = [listener next];
    check([[message at:0] isText:"message"] && [[message at:2] isText:"\0hello" length:6]);
    message = [listener next];
    check([[message at:0] isText:"pmessage"] && [[message at:1] isText:"n*s"]);
    [listener close];
    return NULL;
}
- (const char *)blocking
{
    pthread_t pusher;
    check([[r call:"BLPOP idle 0.1"] isNothing]);
    pthread_create(&pusher, NULL, push, NULL);
    Reply *got = [r call:"BLPOP queue 5"];
    pthread_join(pusher, NULL);
    check([[got at:0] isText:"queue"] && [[got at:1] isText:"job"]);
    return NULL;
}
- (const char *)acl
{
    Connection *app = [Connection open];
    check([[app call:"AUTH app sesame"] isText:"OK"]);
    check([[app call:"SET app:k v"] isText:"OK"]);
    check([[app call:"GET app:k"] isText:"v"]);
    check([[app call:"GET other"] isErrorWith:"NOPERM"]);
    check([[app call:"AUTH app wrong"] isErrorWith:"WRONGPASS"]);
    [app close];
    return NULL;
}
@end

static void tell(const char *name, const char *why)
{
    if (why == NULL) {
        printf("ok %s\n", name);
    } else {
        printf("fail %s: %s\n", name, why);
        failures++;
    }
}

int main(void)
{
    port = atoi(getenv("REDIS_PORT"));
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("version hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    Scenario *all = [Scenario with:[Connection open]];
    tell("strings", [all strings]);
    tell("expiry", [all expiry]);
    tell("hashes", [all hashes]);
    tell("sorted_sets", [all sortedSets]);
    tell("streams", [all streams]);
    tell("scan", [all scan]);
    tell("pipeline", [all pipeline]);
    tell("transaction", [all transaction]);
    tell("script", [all script]);
    tell("pubsub", [all pubsub]);
    tell("blocking", [all blocking]);
    printf("none resp3: speaks RESP2 in this version\nnone tls: knows no TLS in this version\n");
    tell("acl", [all acl]);
    printf("none cluster: knows no clusters\n");
    return failures ? 1 : 0;
}
