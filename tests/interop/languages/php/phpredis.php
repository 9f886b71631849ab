<?php
// The scenario with phpredis, the client that is an extension of PHP.
declare(strict_types=1);

require_once __DIR__ . '/steps.php';

function client(): Redis
{
    $made = new Redis();
    $made->connect('127.0.0.1', PORT, 10);
    return $made;
}

function listener(): Redis
{
    $made = client();
    $made->setOption(Redis::OPT_READ_TIMEOUT, '20');
    return $made;
}

// Some errors are raised; others leave false and a text.
function error_of(Redis $r, string $part, callable $call): void
{
    fails($part, function () use ($r, $call) {
        same($call(), false);
        $text = $r->getLastError();
        $r->clearLastError();
        throw new Exception($text ?? 'no error');
    });
}

if (getenv('ONLY_DEFINE')) {
    return;
}

$r = client();
run('phpredis', phpversion('redis'), [
    'strings' => function () use ($r) {
        $r->flushAll();
        $r->set(ODD, ODD);
        same($r->get(ODD), ODD);
        $r->set('empty', '');
        same($r->get('empty'), '');
        $r->set('big', str_repeat('x', 1000000));
        same($r->get('big'), str_repeat('x', 1000000));
        $r->set('text', TEXT);
        same($r->get('text'), TEXT);
        same($r->strlen('text'), 12);
        $r->mSet(['a' => '1', 'b' => '2']);
        same($r->mGet(['a', 'none', 'b']), ['1', false, '2']);
        same($r->incrBy('a', 41), 42);
        error_of($r, 'ERR value is not an integer', fn () => $r->incr('text'));
        same($r->append('b', '34'), 3);
        same($r->getRange('b', 1, -1), '34');
    },
    'expiry' => function () use ($r) {
        $r->set('e', '1', ['px' => 60000]);
        same($r->pttl('e') > 0 && $r->pttl('e') <= 60000, true);
        same($r->persist('e'), true);
        same($r->ttl('e'), -1);
        $r->expire('e', 100);
        same(in_array($r->ttl('e'), [99, 100]), true);
        same($r->ttl('none'), -2);
        $r->set('short', 'x', ['px' => 30]);
        usleep(60000);
        same($r->get('short'), false);
        same($r->set('e', '2', ['nx']), false);
        same($r->rawCommand('GETDEL', 'e'), '1');
    },
    'hashes' => function () use ($r) {
        same($r->hMSet('h', ['f1' => 'v1', 'f2' => "\0\xff"]), true);
        same($r->hGetAll('h'), ['f1' => 'v1', 'f2' => "\0\xff"]);
        same($r->hIncrBy('h', 'n', 5), 5);
        same($r->hIncrByFloat('h', 'n', 0.5), 5.5);
        same($r->hMGet('h', ['f1', 'none']), ['f1' => 'v1', 'none' => false]);
        same($r->hExists('h', 'none'), false);
        same($r->hDel('h', 'f1', 'none'), 1);
        same($r->hLen('h'), 2);
    },
    'sorted_sets' => function () use ($r) {
        same($r->zAdd('z', 1, 'one', 2.5, 'two', INF, 'top'), 3);
        same($r->zRange('z', 0, -1, true), ['one' => 1.0, 'two' => 2.5, 'top' => INF]);
        same($r->zRangeByScore('z', '(1', '+inf'), ['two', 'top']);
        same($r->zIncrBy('z', 10, 'one'), 11.0);
        same($r->zRank('z', 'one'), 1);
        same($r->zRank('z', 'none'), false);
        same($r->zScore('z', 'two'), 2.5);
        same($r->zPopMin('z'), ['two' => 2.5]);
        same($r->zCard('z'), 2);
    },
    'streams' => function () use ($r) {
        same($r->xGroup('CREATE', 's', 'g', '0', true), true);
        $ids = array_map(fn ($n) => $r->xAdd('s', '*', ['n' => $n]), ['1', '2', '3']);
        same(count(array_unique($ids)), 3);
        same($r->xLen('s'), 3);
        $read = $r->xReadGroup('g', 'alice', ['s' => '>'], 2);
        same($read, ['s' => [$ids[0] => ['n' => '1'], $ids[1] => ['n' => '2']]]);
        same($r->xPending('s', 'g')[0], 2);
        same($r->xAck('s', 'g', [$ids[0]]), 1);
        same($r->xClaim('s', 'g', 'bob', 0, [$ids[1]], []), [$ids[1] => ['n' => '2']]);
        same(count($r->xRange('s', '-', '+')), 3);
        error_of($r, 'BUSYGROUP', fn () => $r->xGroup('CREATE', 's', 'g', '0'));
    },
    'scan' => function () use ($r) {
        $keys = array_map(fn ($n) => "scan:$n", range(0, 499));
        $r->mSet(array_fill_keys($keys, 'x'));
        $found = [];
        $cursor = null;
        while (($page = $r->scan($cursor, 'scan:*', 50)) !== false) {
            $found = array_merge($found, $page);
        }
        sort($keys);
        $found = array_values(array_unique($found));
        sort($found);
        same($found, $keys);
    },
    'pipeline' => function () use ($r) {
        $pipe = $r->multi(Redis::PIPELINE);
        for ($n = 0; $n < 500; $n++) {
            $pipe->incr('p');
        }
        $replies = $pipe->lPush('p', 'x')->incr('p')->exec();
        same([$replies[500], $replies[501]], [false, 501]);
        same(str_starts_with($r->getLastError(), 'WRONGTYPE'), true);
        $r->clearLastError();
    },
    'transaction' => function () use ($r) {
        same($r->multi()->set('t', '1')->incr('t')->exec(), [true, 2]);
        $r->watch('t');
        client()->set('t', '10');
        same($r->multi()->set('t', '0')->exec(), false);
        same($r->get('t'), '10');
    },
    'script' => function () use ($r) {
        same($r->eval(SCRIPT, ['k', 'v'], 1), ['k', 'v', 7, ['x']]);
        error_of($r, 'NOSCRIPT', fn () => $r->evalSha(str_repeat('0', 40)));
        $sha = $r->script('load', INCREMENT);
        same($r->evalSha($sha, ['counter', '3'], 1), 3);
        same($r->evalSha($sha, ['counter', '3'], 1), 6);
        error_of($r, 'MINE', fn () => $r->eval(OWN_ERROR));
    },
    'pubsub' => function () {
        // Subscribing comes back only when the connection is closed.
        $heard = [];
        $take = function ($own, ...$words) use (&$heard) {
            $heard[] = $words;
            $own->close();
        };
        $speaker = meanwhile('client()->publish("news", "\0hello");');
        fails('', fn () => listener()->psubscribe(['n*s'], $take));
        proc_close($speaker);
        $speaker = meanwhile('client()->publish("news", "\0again");');
        fails('', fn () => listener()->subscribe(['news'], $take));
        proc_close($speaker);
        same($heard, [['n*s', 'news', "\0hello"], ['news', "\0again"]]);
    },
    'blocking' => function () use ($r) {
        same($r->blPop(['idle'], 1), []);
        $pusher = meanwhile('client()->lPush("queue", "job");');
        same($r->blPop(['queue'], 20), ['queue', 'job']);
        proc_close($pusher);
    },
    'resp3' => fn () => throw new NotHere('speaks RESP2'),
    'tls' => function () {
        $context = ['stream' => ['cafile' => getenv('REDIS_CA'), 'peer_name' => 'localhost']];
        $secure = new Redis();
        $secure->connect('tls://127.0.0.1', TLS_PORT, 10, null, 0, 0, $context);
        same($secure->ping(), true);
        $secure->set('secret', str_repeat('s', 100000));
        same($secure->get('secret'), str_repeat('s', 100000));
        fails('', fn () => (new Redis())->connect('tls://127.0.0.1', TLS_PORT, 10));
    },
    'acl' => function () {
        $app = client();
        same($app->auth(['app', 'sesame']), true);
        $app->set('app:k', 'v');
        same($app->get('app:k'), 'v');
        error_of($app, 'NOPERM', fn () => $app->get('other'));
        fails('WRONGPASS', fn () => client()->auth(['app', 'wrong']));
    },
    'cluster' => function () {
        if (!CLUSTER_PORT) {
            throw new NotHere('no cluster');
        }
        $many = new RedisCluster(null, ['127.0.0.1:' . CLUSTER_PORT]);
        foreach (range(0, 99) as $n) {
            $many->set("c:$n", (string) $n);
        }
        same(array_map(fn ($n) => $many->get("c:$n"), range(0, 99)), array_map('strval', range(0, 99)));
        $many->mSet(['{tag}a' => '1', '{tag}b' => '2']);
        same($many->mGet(['{tag}a', '{tag}b']), ['1', '2']);
        same($many->eval(BOTH, ['{tag}a', '{tag}b'], 2), ['1', '2']);
        same(count($many->_masters()), 3);
    },
]);
