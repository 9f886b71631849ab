// Real clients against the server whose port is the first argument; prints one line per check.
'use strict';

const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { createClient } = require('redis');

const port = Number(process.argv[2]);
const waitFor = (emitter, event) => new Promise((resolve) => emitter.once(event, (...a) => resolve(a)));

const checks = {
  async 'ioredis: strings and expiry'() {
    const client = new Redis(port);
    await client.flushall();
    assert.equal(await client.set('k', 'v', 'PX', 60000), 'OK');
    assert.equal(await client.get('k'), 'v');
    const left = await client.pttl('k');
    assert.ok(left > 0 && left <= 60000);
    assert.equal(await client.incrby('n', 41), 41);
    assert.equal(await client.incr('n'), 42);
    assert.deepEqual(await client.mget('k', 'n', 'none'), ['v', '42', null]);
    await assert.rejects(client.incr('k'), /value is not an integer or out of range/);
    client.disconnect();
  },

  async 'ioredis: pipelines and transactions'() {
    const client = new Redis(port);
    const piped = await client.pipeline().set('a', 1).incr('a').get('a').exec();
    assert.deepEqual(piped, [[null, 'OK'], [null, 2], [null, '2']]);
    const done = await client.multi().set('b', 1).incr('b').exec();
    assert.deepEqual(done, [[null, 'OK'], [null, 2]]);
    await client.watch('b');
    const other = new Redis(port);
    await other.set('b', 'changed');
    assert.equal(await client.multi().get('b').exec(), null);
    client.disconnect();
    other.disconnect();
  },

  async 'ioredis: publish and subscribe'() {
    const listener = new Redis(port);
    const speaker = new Redis(port);
    assert.equal(await listener.subscribe('news', 'more'), 2);
    const heard = waitFor(listener, 'message');
    assert.equal(await speaker.publish('news', 'hello'), 1);
    assert.deepEqual(await heard, ['news', 'hello']);
    await listener.psubscribe('n*');
    const matched = waitFor(listener, 'pmessage');
    await speaker.publish('nothing', 'x');
    assert.deepEqual(await matched, ['n*', 'nothing', 'x']);
    listener.disconnect();
    speaker.disconnect();
  },

  async 'ioredis: scan stream and big values'() {
    const client = new Redis(port);
    await client.flushdb();
    for (let i = 0; i < 1000; i += 1) client.set(`key:${i}`, i);
    const found = new Set();
    for await (const keys of client.scanStream({ match: 'key:*', count: 100 })) {
      keys.forEach((key) => found.add(key));
    }
    assert.equal(found.size, 1000);
    const big = Buffer.alloc(5 * 1024 * 1024, 'x');
    await client.set('big', big);
    assert.ok((await client.getBuffer('big')).equals(big));
    client.disconnect();
  },

  async 'node-redis: RESP2 strings, transactions'() {
    const client = await createClient({ socket: { port } }).connect();
    assert.equal(await client.set('k', 'v', { EX: 100 }), 'OK');
    assert.equal(await client.get('k'), 'v');
    assert.equal(await client.ttl('k'), 100);
    assert.deepEqual(await client.multi().set('t', '1').incr('t').exec(), ['OK', 2]);
    assert.equal(await client.exists(['k', 't', 'none']), 2);
    await client.clientSetName('checker');
    assert.equal(await client.clientGetName(), 'checker');
    await client.close();
  },

  async 'node-redis: RESP3, publish and subscribe'() {
    const client = await createClient({ RESP: 3, socket: { port } }).connect();
    const listener = await client.duplicate().connect();
    const heard = new Promise((resolve) => listener.subscribe('c', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await client.publish('c', 'message');
    assert.equal(await heard, 'message');
    assert.equal(typeof (await client.configGet('maxmemory')).maxmemory, 'string');
    await listener.close();
    await client.close();
  },
};

(async () => {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  process.exit(failed ? 1 : 0);
})();
