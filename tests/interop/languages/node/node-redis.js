// The scenario with node-redis.
'use strict';

const redis = require('redis');
const { NotHere, assert, settings, samples, pause, soon, range, run } = require('./steps');

const version = require(require.resolve('redis').replace(/dist.*/, 'package.json')).version;
const bytes = { [redis.RESP_TYPES.BLOB_STRING]: Buffer };
let r;

// A connected client; errors that are not the reply to a command are for those who wait for them.
async function client(options = {}) {
  const { socket, ...others } = options;
  const made = redis.createClient({ socket: { port: settings.port, ...socket }, ...others });
  made.on('error', () => {});
  return made.connect();
}

const steps = {
  async strings() {
    r = await client();
    await r.flushAll();
    const raw = r.withTypeMapping(bytes);
    await r.set(samples.odd, samples.odd);
    assert.ok((await raw.get(samples.odd)).equals(samples.odd));
    await r.set('empty', '');
    assert.equal(await r.get('empty'), '');
    await r.set('big', samples.big);
    assert.ok((await raw.get('big')).equals(samples.big));
    await r.set('text', samples.text);
    assert.equal(await r.get('text'), samples.text);
    assert.equal(await r.strLen('text'), 12);
    await r.mSet({ a: '1', b: '2' });
    assert.deepEqual(await r.mGet(['a', 'none', 'b']), ['1', null, '2']);
    assert.equal(await r.incrBy('a', 41), 42);
    await assert.rejects(r.incr('text'), /ERR value is not an integer/);
    assert.equal(await r.append('b', '34'), 3);
    assert.equal(await r.getRange('b', 1, -1), '34');
  },

  async expiry() {
    await r.set('e', '1', { PX: 60_000 });
    const left = await r.pTTL('e');
    assert.ok(left > 0 && left <= 60_000);
    assert.equal(await r.persist('e'), 1);
    assert.equal(await r.ttl('e'), -1);
    await r.expire('e', 100);
    assert.ok([99, 100].includes(await r.ttl('e')));
    assert.equal(await r.ttl('none'), -2);
    await r.set('short', 'x', { PX: 30 });
    await pause(60);
    assert.equal(await r.get('short'), null);
    assert.equal(await r.set('e', '2', { NX: true }), null);
    assert.equal(await r.getDel('e'), '1');
  },

  async hashes() {
    const odd = Buffer.from([0, 255]);
    assert.equal(await r.hSet('h', { f1: 'v1', f2: odd }), 2);
    const got = await r.withTypeMapping(bytes).hGetAll('h');
    assert.deepEqual({ ...got }, { f1: Buffer.from('v1'), f2: odd });
    assert.equal(await r.hIncrBy('h', 'n', 5), 5);
    assert.equal(await r.hIncrByFloat('h', 'n', 0.5), '5.5');
    assert.deepEqual(await r.hmGet('h', ['f1', 'none']), ['v1', null]);
    assert.equal(await r.hExists('h', 'none'), 0);
    assert.equal(await r.hDel('h', ['f1', 'none']), 1);
    assert.equal(await r.hLen('h'), 2);
  },

  async sorted_sets() {
    const members = [
      { value: 'one', score: 1 }, { value: 'two', score: 2.5 }, { value: 'top', score: Infinity },
    ];
    assert.equal(await r.zAdd('z', members), 3);
    assert.deepEqual((await r.zRangeWithScores('z', 0, -1)).map((each) => ({ ...each })), members);
    assert.deepEqual(await r.zRangeByScore('z', '(1', '+inf'), ['two', 'top']);
    assert.equal(await r.zIncrBy('z', 10, 'one'), 11);
    assert.equal(await r.zRank('z', 'one'), 1);
    assert.equal(await r.zRank('z', 'none'), null);
    assert.equal(await r.zScore('z', 'two'), 2.5);
    assert.deepEqual({ ...(await r.zPopMin('z')) }, { value: 'two', score: 2.5 });
    assert.equal(await r.zCard('z'), 2);
  },

  async streams() {
    await r.xGroupCreate('s', 'g', '0', { MKSTREAM: true });
    const ids = [];
    for (const n of ['1', '2', '3']) ids.push(await r.xAdd('s', '*', { n }));
    assert.equal(new Set(ids).size, 3);
    assert.equal(await r.xLen('s'), 3);
    const read = await r.xReadGroup('g', 'alice', { key: 's', id: '>' }, { COUNT: 2 });
    const plain = read[0].messages.map(({ id, message }) => [id, message.n]);
    assert.deepEqual([read[0].name, plain], ['s', [[ids[0], '1'], [ids[1], '2']]]);
    assert.equal((await r.xPending('s', 'g')).pending, 2);
    assert.equal(await r.xAck('s', 'g', ids[0]), 1);
    const claimed = await r.xClaim('s', 'g', 'bob', 0, ids[1]);
    assert.deepEqual(claimed.map(({ id, message }) => [id, message.n]), [[ids[1], '2']]);
    assert.equal((await r.xRange('s', '-', '+')).length, 3);
    await assert.rejects(r.xGroupCreate('s', 'g', '0'), /BUSYGROUP/);
  },

  async scan() {
    await r.mSet(Object.fromEntries(range(500).map((n) => [`scan:${n}`, String(n)])));
    const found = new Set();
    for await (const keys of r.scanIterator({ MATCH: 'scan:*', COUNT: 50 })) {
      keys.forEach((key) => found.add(key));
    }
    assert.deepEqual(found, new Set(range(500).map((n) => `scan:${n}`)));
  },

  async pipeline() {
    // What is asked for in one turn of the loop goes out together.
    const sent = range(500).map(() => r.incr('p'));
    const replies = await Promise.allSettled([...sent, r.lPush('p', 'x'), r.incr('p')]);
    assert.equal(replies[501].value, 501);
    assert.match(replies[500].reason.message, /^WRONGTYPE/);
    const many = r.multi();
    range(100).forEach(() => many.incr('p'));
    assert.equal((await many.execAsPipeline())[99], 601);
  },

  async transaction() {
    assert.deepEqual(await r.multi().set('t', '1').incr('t').exec(), ['OK', 2]);
    const other = await client();
    await r.watch('t');
    await other.set('t', '10');
    await assert.rejects(r.multi().set('t', '0').exec(), redis.WatchError);
    assert.equal(await r.get('t'), '10');
    await other.close();
  },

  async script() {
    const words = { keys: ['k'], arguments: ['v'] };
    assert.deepEqual(await r.eval(samples.script, words), ['k', 'v', 7, ['x']]);
    await assert.rejects(r.evalSha('0'.repeat(40)), /NOSCRIPT/);
    const sha = await r.scriptLoad(samples.increment);
    const three = { keys: ['counter'], arguments: ['3'] };
    assert.equal(await r.evalSha(sha, three), 3);
    assert.equal(await r.evalSha(sha, three), 6);
    await assert.rejects(r.eval(samples.ownError), /MINE/);
  },

  async pubsub(options = {}) {
    const listener = await client(options);
    const heard = [];
    let done;
    const both = new Promise((resolve) => { done = resolve; });
    const take = (kind) => (data, channel) => {
      if (heard.push([kind, String(channel), data]) === 2) done();
    };
    await listener.subscribe('news', take('channel'), true);
    await listener.pSubscribe('n*s', take('pattern'), true);
    const message = Buffer.from('\0hello');
    assert.equal(await r.publish('news', message), 2);
    await soon(both);
    assert.deepEqual(heard, [['channel', 'news', message], ['pattern', 'news', message]]);
    listener.destroy();
  },

  async blocking() {
    const own = await client();
    assert.equal(await own.blPop('idle', 0.1), null);
    setTimeout(() => r.lPush('queue', 'job'), 50);
    assert.deepEqual({ ...(await own.blPop('queue', 5)) }, { key: 'queue', element: 'job' });
    await own.close();
  },

  async resp3() {
    const three = await client({ RESP: 3 });
    await three.hSet('h3', 'a', '1');
    await three.zAdd('z3', { value: 'm', score: 1.5 });
    const maps = three.withTypeMapping({ [redis.RESP_TYPES.MAP]: Map });
    assert.deepEqual(await maps.hGetAll('h3'), new Map([['a', '1']]));
    assert.equal(await three.zScore('z3', 'm'), 1.5);
    assert.equal((await three.aclGetUser('app')).flags[0], 'on');
    await three.close();
    await steps.pubsub({ RESP: 3 });
    const cached = await client({ RESP: 3, clientSideCache: { ttl: 0, maxEntries: 10, evictPolicy: 'LRU' } });
    await r.set('cached', 'old');
    assert.equal(await cached.get('cached'), 'old');
    await r.set('cached', 'new');
    await pause(50);
    assert.equal(await cached.get('cached'), 'new');
    await cached.close();
  },

  async tls() {
    const socket = { port: settings.tlsPort, host: 'localhost', tls: true };
    const secure = await client({ socket: { ...socket, ca: settings.ca } });
    assert.equal(await secure.ping(), 'PONG');
    await secure.set('secret', 's'.repeat(100_000));
    assert.equal(await secure.get('secret'), 's'.repeat(100_000));
    await secure.close();
    await assert.rejects(client({ socket: { ...socket, reconnectStrategy: false } }));
  },

  async acl() {
    const app = await client({ username: 'app', password: 'sesame' });
    await app.set('app:k', 'v');
    assert.equal(await app.get('app:k'), 'v');
    await assert.rejects(app.get('other'), /NOPERM/);
    await app.close();
    const wrong = { username: 'app', password: 'wrong', socket: { reconnectStrategy: false } };
    await assert.rejects(client(wrong), /WRONGPASS/);
  },

  async cluster() {
    if (!settings.clusterPort) throw new NotHere('no cluster');
    const rootNodes = [{ url: `redis://127.0.0.1:${settings.clusterPort}` }];
    const many = await redis.createCluster({ rootNodes }).connect();
    await Promise.all(range(100).map((n) => many.set(`c:${n}`, String(n))));
    const got = await Promise.all(range(100).map((n) => many.get(`c:${n}`)));
    assert.deepEqual(got, range(100).map(String));
    await many.mSet({ '{tag}a': '1', '{tag}b': '2' });
    assert.deepEqual(await many.mGet(['{tag}a', '{tag}b']), ['1', '2']);
    assert.deepEqual(await many.eval(samples.both, { keys: ['{tag}a', '{tag}b'] }), ['1', '2']);
    await many.close();
  },
};

console.log(`version node-redis ${version}`);
run(steps);
