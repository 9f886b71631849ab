/* The scenario with hiredis. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static redisContext *r;
static int port;
static jmp_buf end_of_step;
static char why[512];
static int absent;

static void leave(int is_absent, const char *format, ...)
{
    va_list words;

    va_start(words, format);
    vsnprintf(why, sizeof why, format, words);
    va_end(words);
    absent = is_absent;
    longjmp(end_of_step, 1);
}

#define check(holds) \
    do { if (!(holds)) leave(0, "line %d: %s", __LINE__, #holds); } while (0)

static redisContext *connected(void)
{
    struct timeval patience = {10, 0};
    redisContext *made = redisConnectWithTimeout("127.0.0.1", port, patience);

    if (made == NULL || made->err) leave(0, "no connection: %s", made ? made->errstr : "memory");
    redisSetTimeout(made, patience);
    return made;
}

/* The reply to a command; it lives until the program ends, which is soon. */
static redisReply *call(redisContext *on, const char *format, ...)
{
    va_list words;
    redisReply *reply;

    va_start(words, format);
    reply = redisvCommand(on, format, words);
    va_end(words);
    if (reply == NULL) leave(0, "%s: %s", format, on->errstr);
    return reply;
}

static int is_text(const redisReply *reply, const char *text, size_t length)
{
    return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
           (size_t)reply->len == length && memcmp(reply->str, text, length) == 0;
}

static int is(const redisReply *reply, const char *text)
{
    return is_text(reply, text, strlen(text));
}

static int is_number(const redisReply *reply, long long number)
{
    return reply->type == REDIS_REPLY_INTEGER && reply->integer == number;
}

static int is_error(const redisReply *reply, const char *beginning)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, beginning, strlen(beginning)) == 0;
}

static int is_nil(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_NIL;
}

/* An array of texts, given as one text with spaces between them. */
static int are(const redisReply *reply, const char *texts)
{
    char copy[256], *rest = copy, *text;
    size_t n = 0;

    snprintf(copy, sizeof copy, "%s", texts);
    if (reply->type != REDIS_REPLY_ARRAY) return 0;
    while ((text = strsep(&rest, " ")) != NULL) {
        if (n == reply->elements || !is(reply->element[n++], text)) return 0;
    }
    return n == reply->elements;
}

static void strings(void)
{
    static char odd[256], big[1000000];
    const char *text = "gr\xc3\xbc\xc3\x9f" "e\r\n\xe2\x82\xac";
    redisReply *values;

    for (int n = 0; n < 256; n++) odd[n] = (char)n;
    memset(big, 'x', sizeof big);
    check(is(call(r, "FLUSHALL"), "OK"));
    check(is(call(r, "SET %b %b", odd, sizeof odd, odd, sizeof odd), "OK"));
    check(is_text(call(r, "GET %b", odd, sizeof odd), odd, sizeof odd));
    check(is(call(r, "SET empty %s", ""), "OK"));
    check(is(call(r, "GET empty"), ""));
    check(is(call(r, "SET big %b", big, sizeof big), "OK"));
    check(is_text(call(r, "GET big"), big, sizeof big));
    check(is(call(r, "SET text %s", text), "OK"));
    check(is(call(r, "GET text"), text));
    check(is_number(call(r, "STRLEN text"), 12));
    check(is(call(r, "MSET a 1 b 2"), "OK"));
    values = call(r, "MGET a none b");
    check(values->elements == 3 && is(values->element[0], "1") && is_nil(values->element[1]) &&
          is(values->element[2], "2"));
    check(is_number(call(r, "INCRBY a 41"), 42));
    check(is_error(call(r, "INCR text"), "ERR value is not an integer"));
    check(is_number(call(r, "APPEND b 34"), 3));
    check(is(call(r, "GETRANGE b 1 -1"), "34"));
}

static void expiry(void)
{
    long long left;

    call(r, "SET e 1 PX 60000");
    left = call(r, "PTTL e")->integer;
    check(left > 0 && left <= 60000);
    check(is_number(call(r, "PERSIST e"), 1));
    check(is_number(call(r, "TTL e"), -1));
    call(r, "EXPIRE e 100");
    left = call(r, "TTL e")->integer;
    check(left == 99 || left == 100);
    check(is_number(call(r, "TTL none"), -2));
    call(r, "SET short x PX 30");
    usleep(60000);
    check(is_nil(call(r, "GET short")));
    check(is_nil(call(r, "SET e 2 NX")));
    check(is(call(r, "GETDEL e"), "1"));
}

static void hashes(void)
{
    redisReply *all;

    check(is_number(call(r, "HSET h f1 v1 f2 %b", "\0\xff", (size_t)2), 2));
    all = call(r, "HGETALL h");
    check(all->elements == 4 && is(all->element[0], "f1") && is(all->element[1], "v1") &&
          is(all->element[2], "f2") && is_text(all->element[3], "\0\xff", 2));
    check(is_number(call(r, "HINCRBY h n 5"), 5));
    check(is(call(r, "HINCRBYFLOAT h n 0.5"), "5.5"));
    all = call(r, "HMGET h f1 none");
    check(all->elements == 2 && is(all->element[0], "v1") && is_nil(all->element[1]));
    check(is_number(call(r, "HEXISTS h none"), 0));
    check(is_number(call(r, "HDEL h f1 none"), 1));
    check(is_number(call(r, "HLEN h"), 2));
}

static void sorted_sets(void)
{
    check(is_number(call(r, "ZADD z 1 one 2.5 two inf top"), 3));
    check(are(call(r, "ZRANGE z 0 -1 WITHSCORES"), "one 1 two 2.5 top inf"));
    check(are(call(r, "ZRANGEBYSCORE z (1 +inf"), "two top"));
    check(is(call(r, "ZINCRBY z 10 one"), "11"));
    check(is_number(call(r, "ZRANK z one"), 1));
    check(is_nil(call(r, "ZRANK z none")));
    check(is(call(r, "ZSCORE z two"), "2.5"));
    check(are(call(r, "ZPOPMIN z"), "two 2.5"));
    check(is_number(call(r, "ZCARD z"), 2));
}

static void streams(void)
{
    char ids[3][64];
    redisReply *read;

    check(is(call(r, "XGROUP CREATE s g 0 MKSTREAM"), "OK"));
    for (int n = 0; n < 3; n++) {
        snprintf(ids[n], sizeof ids[n], "%s", call(r, "XADD s * n %d", n + 1)->str);
        check(n == 0 || strcmp(ids[n], ids[n - 1]) != 0);
    }
    check(is_number(call(r, "XLEN s"), 3));
    read = call(r, "XREADGROUP GROUP g alice COUNT 2 STREAMS s >");
    check(read->elements == 1 && is(read->element[0]->element[0], "s"));
    read = read->element[0]->element[1];
    check(read->elements == 2);
    check(is(read->element[0]->element[0], ids[0]) && are(read->element[0]->element[1], "n 1"));
    check(is(read->element[1]->element[0], ids[1]) && are(read->element[1]->element[1], "n 2"));
    check(is_number(call(r, "XPENDING s g")->element[0], 2));
    check(is_number(call(r, "XACK s g %s", ids[0]), 1));
    read = call(r, "XCLAIM s g bob 0 %s", ids[1]);
    check(read->elements == 1 && are(read->element[0]->element[1], "n 2"));
    check(call(r, "XRANGE s - +")->elements == 3);
    check(is_error(call(r, "XGROUP CREATE s g 0"), "BUSYGROUP"));
}

static void scan(void)
{
    char seen[500] = {0}, cursor[32] = "0";
    int count = 0;

    for (int n = 0; n < 500; n++) redisAppendCommand(r, "SET scan:%d x", n);
    for (int n = 0; n < 500; n++) {
        void *reply;
        check(redisGetReply(r, &reply) == REDIS_OK && is(reply, "OK"));
    }
    do {
        redisReply *page = call(r, "SCAN %s MATCH scan:* COUNT 50", cursor);
        snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
        for (size_t n = 0; n < page->element[1]->elements; n++) {
            int number = atoi(page->element[1]->element[n]->str + 5);
            check(number >= 0 && number < 500);
            count += !seen[number];
            seen[number] = 1;
        }
    } while (strcmp(cursor, "0") != 0);
    check(count == 500);
}

static void pipeline(void)
{
    void *reply;

    for (int n = 0; n < 500; n++) redisAppendCommand(r, "INCR p");
    redisAppendCommand(r, "LPUSH p x");
    redisAppendCommand(r, "INCR p");
    for (int n = 0; n < 500; n++) {
        check(redisGetReply(r, &reply) == REDIS_OK && is_number(reply, n + 1));
    }
    check(redisGetReply(r, &reply) == REDIS_OK && is_error(reply, "WRONGTYPE"));
    check(redisGetReply(r, &reply) == REDIS_OK && is_number(reply, 501));
}

static void transaction(void)
{
    redisContext *other = connected();
    redisReply *done;

    call(r, "MULTI");
    check(is(call(r, "SET t 1"), "QUEUED") && is(call(r, "INCR t"), "QUEUED"));
    done = call(r, "EXEC");
    check(done->elements == 2 && is(done->element[0], "OK") && is_number(done->element[1], 2));
    call(r, "WATCH t");
    call(other, "SET t 10");
    call(r, "MULTI");
    call(r, "SET t 0");
    check(is_nil(call(r, "EXEC")));
    check(is(call(r, "GET t"), "10"));
    redisFree(other);
}

static void script(void)
{
    redisReply *reply = call(r, "EVAL %s 1 k v", "return {KEYS[1], ARGV[1], 7, {'x'}}");
    const char *sha;

    check(reply->elements == 4 && is(reply->element[0], "k") && is(reply->element[1], "v") &&
          is_number(reply->element[2], 7) && are(reply->element[3], "x"));
    check(is_error(call(r, "EVALSHA %s 0", "0000000000000000000000000000000000000000"), "NOSCRIPT"));
    sha = call(r, "SCRIPT LOAD %s", "return redis.call('INCRBY', KEYS[1], ARGV[1])")->str;
    check(is_number(call(r, "EVALSHA %s 1 counter 3", sha), 3));
    check(is_number(call(r, "EVALSHA %s 1 counter 3", sha), 6));
    check(is_error(call(r, "EVAL %s 0", "return redis.error_reply('MINE own words')"), "MINE"));
}

static void pubsub(void)
{
    redisContext *listener = connected();
    void *got;
    redisReply *message;

    check(is_number(call(listener, "SUBSCRIBE news")->element[2], 1));
    check(is_number(call(listener, "PSUBSCRIBE n*s")->element[2], 2));
    check(is_number(call(r, "PUBLISH news %b", "\0hello", (size_t)6), 2));
    check(redisGetReply(listener, &got) == REDIS_OK);
    message = got;
    check(message->elements == 3 && is(message->element[0], "message") &&
          is(message->element[1], "news") && is_text(message->element[2], "\0hello", 6));
    check(redisGetReply(listener, &got) == REDIS_OK);
    message = got;
    check(message->elements == 4 && is(message->element[0], "pmessage") &&
          is(message->element[1], "n*s") && is(message->element[2], "news"));
    redisFree(listener);
}

static void *push(void *nothing)
{
    redisContext *own = redisConnect("127.0.0.1", port);

    usleep(50000);
    freeReplyObject(redisCommand(own, "LPUSH queue job"));
    redisFree(own);
    return nothing;
}

static void blocking(void)
{
    pthread_t pusher;

    check(is_nil(call(r, "BLPOP idle 0.1")));
    pthread_create(&pusher, NULL, push, NULL);
    check(are(call(r, "BLPOP queue 5"), "queue job"));
    pthread_join(pusher, NULL);
}

static void resp3(void)
{
#ifdef REDIS_REPLY_MAP
    redisContext *three = connected();
    redisReply *user;

    check(call(three, "HELLO 3")->type == REDIS_REPLY_MAP);
    call(three, "HSET h3 a 1");
    call(three, "ZADD z3 1.5 m");
    check(call(three, "HGETALL h3")->type == REDIS_REPLY_MAP);
    check(call(three, "ZSCORE z3 m")->dval == 1.5);
    user = call(three, "ACL GETUSER app");
    check(user->type == REDIS_REPLY_MAP);
    redisFree(three);
#else
    leave(1, "speaks RESP2 in this version");
#endif
}

static void tls(void)
{
    leave(1, "knows no TLS in this version");
}

static void acl(void)
{
    redisContext *app = connected();

    check(is(call(app, "AUTH app sesame"), "OK"));
    check(is(call(app, "SET app:k v"), "OK"));
    check(is(call(app, "GET app:k"), "v"));
    check(is_error(call(app, "GET other"), "NOPERM"));
    check(is_error(call(app, "AUTH app wrong"), "WRONGPASS"));
    redisFree(app);
}

static void cluster(void)
{
    leave(1, "knows no clusters");
}

static const struct {
    const char *name;
    void (*run)(void);
} steps[] = {
    {"strings", strings}, {"expiry", expiry}, {"hashes", hashes}, {"sorted_sets", sorted_sets},
    {"streams", streams}, {"scan", scan}, {"pipeline", pipeline}, {"transaction", transaction},
    {"script", script}, {"pubsub", pubsub}, {"blocking", blocking}, {"resp3", resp3},
    {"tls", tls}, {"acl", acl}, {"cluster", cluster},
};

int main(void)
{
    volatile int status = 0;

    port = atoi(getenv("REDIS_PORT"));
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("version hiredis %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    r = redisConnect("127.0.0.1", port);
    for (volatile size_t n = 0; n < sizeof steps / sizeof *steps; n++) {
        if (setjmp(end_of_step) == 0) {
            steps[n].run();
            printf("ok %s\n", steps[n].name);
        } else if (absent) {
            printf("none %s: %s\n", steps[n].name, why);
        } else {
            printf("fail %s: %s\n", steps[n].name, why);
            status = 1;
        }
    }
    return status;
}
