<?php
// The scenario with Predis.
declare(strict_types=1);

// The version of Debian is older than some notices of today's PHP.
error_reporting(E_ALL & ~E_DEPRECATED);
require_once __DIR__ . '/steps.php';
require_once 'Predis/Autoloader.php';
Predis\Autoloader::register();

function client(array $parameters = [], array $options = []): Predis\Client
{
    $place = ['host' => '127.0.0.1', 'port' => PORT, 'read_write_timeout' => 20];
    return new Predis\Client($parameters + $place, $options);
}

if (getenv('ONLY_DEFINE')) {
    return;
}

$r = client();
run('Predis', Predis\Client::VERSION, [
    'strings' => function () use ($r) {
        $r->flushall();
        $r->set(ODD, ODD);
        same($r->get(ODD), ODD);
        $r->set('empty', '');
        same($r->get('empty'), '');
        $r->set('big', str_repeat('x', 1000000));
        same($r->get('big'), str_repeat('x', 1000000));
        $r->set('text', TEXT);
        same($r->get('text'), TEXT);
        same($r->strlen('text'), 12);
        $r->mset(['a' => '1', 'b' => '2']);
        same($r->mget(['a', 'none', 'b']), ['1', null, '2']);
        same($r->incrby('a', 41), 42);
        fails('ERR value is not an integer', fn () => $r->incr('text'));
        same($r->append('b', '34'), 3);
        same($r->getrange('b', 1, -1), '34');
    },
    'expiry' => function () use ($r) {
        $r->set('e', '1', 'PX', 60000);
        same($r->pttl('e') > 0 && $r->pttl('e') <= 60000, true);
        same($r->persist('e'), 1);
        same($r->ttl('e'), -1);
        $r->expire('e', 100);
        same(in_array($r->ttl('e'), [99, 100]), true);
        same($r->ttl('none'), -2);
        $r->set('short', 'x', 'PX', 30);
        usleep(60000);
        same($r->get('short'), null);
        same($r->set('e', '2', 'NX'), null);
        same($r->executeRaw(['GETDEL', 'e']), '1');
    },
    'hashes' => function () use ($r) {
        same((string) $r->hmset('h', ['f1' => 'v1', 'f2' => "\0\xff"]), 'OK');
        same($r->hgetall('h'), ['f1' => 'v1', 'f2' => "\0\xff"]);
        same($r->hincrby('h', 'n', 5), 5);
        same($r->hincrbyfloat('h', 'n', 0.5), '5.5');
        same($r->hmget('h', ['f1', 'none']), ['v1', null]);
        same($r->hexists('h', 'none'), 0);
        same($r->hdel('h', ['f1', 'none']), 1);
        same($r->hlen('h'), 2);
    },
    'sorted_sets' => function () use ($r) {
        same($r->zadd('z', ['one' => 1, 'two' => 2.5, 'top' => 'inf']), 3);
        same($r->zrange('z', 0, -1, ['withscores' => true]), ['one' => '1', 'two' => '2.5', 'top' => 'inf']);
        same($r->zrangebyscore('z', '(1', '+inf'), ['two', 'top']);
        same($r->zincrby('z', 10, 'one'), '11');
        same($r->zrank('z', 'one'), 1);
        same($r->zrank('z', 'none'), null);
        same($r->zscore('z', 'two'), '2.5');
        same($r->executeRaw(['ZPOPMIN', 'z']), ['two', '2.5']);
        same($r->zcard('z'), 2);
    },
    'streams' => function () use ($r) {
        // This version has no methods for streams: the words of the commands.
        same($r->executeRaw(['XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM']), 'OK');
        $ids = array_map(fn ($n) => $r->executeRaw(['XADD', 's', '*', 'n', $n]), ['1', '2', '3']);
        same(count(array_unique($ids)), 3);
        same($r->executeRaw(['XLEN', 's']), 3);
        $read = $r->executeRaw(['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '2', 'STREAMS', 's', '>']);
        same($read, [['s', [[$ids[0], ['n', '1']], [$ids[1], ['n', '2']]]]]);
        same($r->executeRaw(['XPENDING', 's', 'g'])[0], 2);
        same($r->executeRaw(['XACK', 's', 'g', $ids[0]]), 1);
        same($r->executeRaw(['XCLAIM', 's', 'g', 'bob', '0', $ids[1]]), [[$ids[1], ['n', '2']]]);
        same(count($r->executeRaw(['XRANGE', 's', '-', '+'])), 3);
        $error = false;
        $text = $r->executeRaw(['XGROUP', 'CREATE', 's', 'g', '0'], $error);
        same([$error, str_starts_with($text, 'BUSYGROUP')], [true, true]);
    },
    'scan' => function () use ($r) {
        $keys = array_map(fn ($n) => "scan:$n", range(0, 499));
        $r->mset(array_fill_keys($keys, 'x'));
        $found = array_unique(iterator_to_array(new Predis\Collection\Iterator\Keyspace($r, 'scan:*', 50), false));
        sort($keys);
        sort($found);
        same($found, $keys);
    },
    'pipeline' => function () {
        $careful = client([], ['exceptions' => false]);
        $replies = $careful->pipeline(function ($pipe) {
            for ($n = 0; $n < 500; $n++) {
                $pipe->incr('p');
            }
            $pipe->lpush('p', 'x');
            $pipe->incr('p');
        });
        same($replies[501], 501);
        same($replies[500]->getErrorType(), 'WRONGTYPE');
    },
    'transaction' => function () use ($r) {
        $done = $r->transaction(function ($tx) {
            $tx->set('t', '1');
            $tx->incr('t');
        });
        same([(string) $done[0], $done[1]], ['OK', 2]);
        fails('aborted', fn () => $r->transaction(['watch' => 't', 'cas' => true], function ($tx) {
            same($tx->get('t'), '2');
            client()->set('t', '10');
            $tx->multi();
            $tx->set('t', '0');
        }));
        same($r->get('t'), '10');
    },
    'script' => function () use ($r) {
        same($r->eval(SCRIPT, 1, 'k', 'v'), ['k', 'v', 7, ['x']]);
        fails('NOSCRIPT', fn () => $r->evalsha(str_repeat('0', 40), 0));
        $sha = $r->script('load', INCREMENT);
        same($r->evalsha($sha, 1, 'counter', '3'), 3);
        same($r->evalsha($sha, 1, 'counter', '3'), 6);
        fails('MINE', fn () => $r->eval(OWN_ERROR, 0));
    },
    'pubsub' => function () {
        $speaker = meanwhile('client()->publish("news", "\0hello");');
        $loop = client()->pubSubLoop();
        $loop->subscribe('news');
        $loop->psubscribe('n*s');
        $heard = [];
        foreach ($loop as $message) {
            if (str_ends_with($message->kind, 'message')) {
                $heard[] = [$message->kind, $message->channel, $message->payload];
                if (count($heard) === 2) {
                    $loop->stop(true);
                    break;
                }
            }
        }
        same($heard, [['message', 'news', "\0hello"], ['pmessage', 'news', "\0hello"]]);
        proc_close($speaker);
    },
    'blocking' => function () use ($r) {
        same($r->blpop(['idle'], 1), null);
        $pusher = meanwhile('client()->lpush("queue", "job");');
        same($r->blpop(['queue'], 10), ['queue', 'job']);
        proc_close($pusher);
    },
    'resp3' => fn () => throw new NotHere('speaks RESP2'),
    'tls' => function () {
        $place = ['scheme' => 'tls', 'port' => TLS_PORT];
        $ssl = ['cafile' => getenv('REDIS_CA'), 'peer_name' => 'localhost'];
        $secure = client($place + ['ssl' => $ssl]);
        same((string) $secure->ping(), 'PONG');
        $secure->set('secret', str_repeat('s', 100000));
        same($secure->get('secret'), str_repeat('s', 100000));
        $strange = ['cafile' => '/etc/hostname', 'verify_peer' => true];
        fails('', fn () => client($place + ['ssl' => $strange])->ping());
    },
    'acl' => function () {
        // It knows passwords alone, so AUTH is given as words.
        $app = client();
        same($app->executeRaw(['AUTH', 'app', 'sesame']), 'OK');
        $app->set('app:k', 'v');
        same($app->get('app:k'), 'v');
        fails('NOPERM', fn () => $app->get('other'));
        same(str_starts_with(client()->executeRaw(['AUTH', 'app', 'wrong']), 'WRONGPASS'), true);
    },
    'cluster' => function () {
        if (!CLUSTER_PORT) {
            throw new NotHere('no cluster');
        }
        $many = new Predis\Client(['tcp://127.0.0.1:' . CLUSTER_PORT], ['cluster' => 'redis']);
        foreach (range(0, 99) as $n) {
            $many->set("c:$n", (string) $n);
        }
        same(array_map(fn ($n) => $many->get("c:$n"), range(0, 99)), array_map('strval', range(0, 99)));
        $many->mset(['{tag}a' => '1', '{tag}b' => '2']);
        same($many->mget(['{tag}a', '{tag}b']), ['1', '2']);
        same($many->eval(BOTH, 2, '{tag}a', '{tag}b'), ['1', '2']);
    },
]);
