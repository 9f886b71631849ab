// The scenario with ioredis.
'use strict';

const Redis = require('ioredis');
const { version } = require('ioredis/package.json');
const { NotHere, assert, settings, samples, pause, soon, range, run } = require('./steps');

const client = (options) => new Redis({ port: settings.port, ...options });
const r = client();

const steps = {
  async strings() {
    await r.flushall();
    await r.set(samples.odd, samples.odd);
    assert.ok((await r.getBuffer(samples.odd)).equals(samples.odd));
    await r.set('empty', '');
    assert.equal(await r.get('empty'), '');
    await r.set('big', samples.big);
    assert.ok((await r.getBuffer('big')).equals(samples.big));
    await r.set('text', samples.text);
    assert.equal(await r.get('text'), samples.text);
    assert.equal(await r.strlen('text'), 12);
    await r.mset({ a: 1, b: 2 });
    assert.deepEqual(await r.mget('a', 'none', 'b'), ['1', null, '2']);
    assert.equal(await r.incrby('a', 41), 42);
    await assert.rejects(r.incr('text'), /^ReplyError: ERR value is not an integer/);
    assert.equal(await r.append('b', '34'), 3);
    assert.equal(await r.getrange('b', 1, -1), '34');
  },

  async expiry() {
    await r.set('e', 1, 'PX', 60_000);
    const left = await r.pttl('e');
    assert.ok(left > 0 && left <= 60_000);
    assert.equal(await r.persist('e'), 1);
    assert.equal(await r.ttl('e'), -1);
    await r.expire('e', 100);
    assert.ok([99, 100].includes(await r.ttl('e')));
    assert.equal(await r.ttl('none'), -2);
    await r.set('short', 'x', 'PX', 30);
    await pause(60);
    assert.equal(await r.get('short'), null);
    assert.equal(await r.set('e', 2, 'NX'), null);
    assert.equal(await r.getdel('e'), '1');
  },

  async hashes() {
    assert.equal(await r.hset('h', { f1: 'v1', f2: Buffer.from([0, 255]) }), 2);
    assert.deepEqual(await r.hgetallBuffer('h'), { f1: Buffer.from('v1'), f2: Buffer.from([0, 255]) });
    assert.equal(await r.hincrby('h', 'n', 5), 5);
    assert.equal(await r.hincrbyfloat('h', 'n', 0.5), '5.5');
    assert.deepEqual(await r.hmget('h', 'f1', 'none'), ['v1', null]);
    assert.equal(await r.hexists('h', 'none'), 0);
    assert.equal(await r.hdel('h', 'f1', 'none'), 1);
    assert.equal(await r.hlen('h'), 2);
  },

  async sorted_sets() {
    assert.equal(await r.zadd('z', 1, 'one', 2.5, 'two', 'inf', 'top'), 3);
    assert.deepEqual(await r.zrange('z', 0, -1, 'WITHSCORES'), ['one', '1', 'two', '2.5', 'top', 'inf']);
    assert.deepEqual(await r.zrangebyscore('z', '(1', '+inf'), ['two', 'top']);
    assert.equal(await r.zincrby('z', 10, 'one'), '11');
    assert.equal(await r.zrank('z', 'one'), 1);
    assert.equal(await r.zrank('z', 'none'), null);
    assert.equal(await r.zscore('z', 'two'), '2.5');
    assert.deepEqual(await r.zpopmin('z'), ['two', '2.5']);
    assert.equal(await r.zcard('z'), 2);
  },

  async streams() {
    await r.xgroup('CREATE', 's', 'g', '0', 'MKSTREAM');
    const ids = [];
    for (const n of [1, 2, 3]) ids.push(await r.xadd('s', '*', 'n', n));
    assert.equal(new Set(ids).size, 3);
    assert.equal(await r.xlen('s'), 3);
    const read = await r.xreadgroup('GROUP', 'g', 'alice', 'COUNT', 2, 'STREAMS', 's', '>');
    assert.deepEqual(read, [['s', [[ids[0], ['n', '1']], [ids[1], ['n', '2']]]]]);
    assert.equal((await r.xpending('s', 'g'))[0], 2);
    assert.equal(await r.xack('s', 'g', ids[0]), 1);
    assert.deepEqual(await r.xclaim('s', 'g', 'bob', 0, ids[1]), [[ids[1], ['n', '2']]]);
    assert.equal((await r.xrange('s', '-', '+')).length, 3);
    await assert.rejects(r.xgroup('CREATE', 's', 'g', '0'), /BUSYGROUP/);
  },

  async scan() {
    await r.mset(Object.fromEntries(range(500).map((n) => [`scan:${n}`, n])));
    const found = new Set();
    for await (const keys of r.scanStream({ match: 'scan:*', count: 50 })) {
      keys.forEach((key) => found.add(key));
    }
    assert.deepEqual(found, new Set(range(500).map((n) => `scan:${n}`)));
  },

  async pipeline() {
    const pipe = r.pipeline();
    range(500).forEach(() => pipe.incr('p'));
    const replies = await pipe.lpush('p', 'x').incr('p').exec();
    assert.deepEqual(replies[501], [null, 501]);
    assert.match(replies[500][0].message, /^WRONGTYPE/);
  },

  async transaction() {
    assert.deepEqual(await r.multi().set('t', 1).incr('t').exec(), [[null, 'OK'], [null, 2]]);
    const other = client();
    await r.watch('t');
    await other.set('t', 10);
    assert.equal(await r.multi().set('t', 0).exec(), null);
    assert.equal(await r.get('t'), '10');
    other.disconnect();
  },

  async script() {
    assert.deepEqual(await r.eval(samples.script, 1, 'k', 'v'), ['k', 'v', 7, ['x']]);
    await assert.rejects(r.evalsha('0'.repeat(40), 0), /NOSCRIPT/);
    const sha = await r.script('LOAD', samples.increment);
    assert.equal(await r.evalsha(sha, 1, 'counter', 3), 3);
    assert.equal(await r.evalsha(sha, 1, 'counter', 3), 6);
    await assert.rejects(r.eval(samples.ownError, 0), /MINE/);
    r.defineCommand('add', { numberOfKeys: 1, lua: samples.increment });
    assert.equal(await r.add('counter', 4), 10);
  },

  async pubsub() {
    const listener = client();
    const heard = [];
    const both = new Promise((resolve) => {
      const take = (...words) => heard.push(words) === 2 && resolve();
      listener.on('messageBuffer', (channel, data) => take(String(channel), data));
      listener.on('pmessageBuffer', (pattern, channel, data) => take(String(channel), data, String(pattern)));
    });
    await listener.subscribe('news');
    await listener.psubscribe('n*s');
    const message = Buffer.from('\0hello');
    assert.equal(await r.publish('news', message), 2);
    await soon(both);
    assert.deepEqual(heard, [['news', message], ['news', message, 'n*s']]);
    listener.disconnect();
  },

  async blocking() {
    assert.equal(await r.blpop('idle', 0.1), null);
    const other = client();
    setTimeout(() => other.lpush('queue', 'job'), 50);
    assert.deepEqual(await r.blpop('queue', 5), ['queue', 'job']);
    other.disconnect();
  },

  async resp3() {
    throw new NotHere('speaks RESP2');
  },

  async tls() {
    const secure = client({ port: settings.tlsPort, host: 'localhost', tls: { ca: settings.ca } });
    assert.equal(await secure.ping(), 'PONG');
    await secure.set('secret', 's'.repeat(100_000));
    assert.equal(await secure.get('secret'), 's'.repeat(100_000));
    secure.disconnect();
    const stranger = client({
      port: settings.tlsPort, host: 'localhost', tls: {}, lazyConnect: true, retryStrategy: null,
    });
    stranger.on('error', () => {});
    await assert.rejects(stranger.connect());
  },

  async acl() {
    const app = client({ username: 'app', password: 'sesame' });
    await app.set('app:k', 'v');
    assert.equal(await app.get('app:k'), 'v');
    await assert.rejects(app.get('other'), /NOPERM/);
    app.disconnect();
    const wrong = client({ username: 'app', password: 'wrong', retryStrategy: null });
    const [error] = await soon(new Promise((resolve) => wrong.once('error', (...words) => resolve(words))));
    assert.match(String(error), /WRONGPASS/);
    wrong.disconnect();
  },

  async cluster() {
    if (!settings.clusterPort) throw new NotHere('no cluster');
    const many = new Redis.Cluster([{ host: '127.0.0.1', port: settings.clusterPort }]);
    await Promise.all(range(100).map((n) => many.set(`c:${n}`, n)));
    const got = await Promise.all(range(100).map((n) => many.get(`c:${n}`)));
    assert.deepEqual(got, range(100).map(String));
    await many.mset({ '{tag}a': 1, '{tag}b': 2 });
    assert.deepEqual(await many.mget('{tag}a', '{tag}b'), ['1', '2']);
    assert.deepEqual(await many.eval(samples.both, 2, '{tag}a', '{tag}b'), ['1', '2']);
    many.disconnect();
  },
};

console.log(`version ioredis ${version}`);
run(steps);
