// How a program of the scenario tells what it has done.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');

class NotHere extends Error {}

const settings = {
  port: Number(process.env.REDIS_PORT),
  tlsPort: Number(process.env.REDIS_TLS_PORT),
  ca: fs.readFileSync(process.env.REDIS_CA),
  clusterPort: Number(process.env.REDIS_CLUSTER_PORT || 0),
};

const samples = {
  odd: Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
  big: Buffer.alloc(1_000_000, 'x'),
  text: 'grüße\r\n€',
  script: "return {KEYS[1], ARGV[1], 7, {'x'}}",
  increment: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  ownError: "return redis.error_reply('MINE own words')",
  both: "return redis.call('MGET', KEYS[1], KEYS[2])",
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Fails after ten seconds: what is waited for does not come.
const soon = (promise) => Promise.race([
  promise,
  new Promise((_, reject) => setTimeout(() => reject(new Error('nothing in 10 s')), 10_000).unref()),
]);

const range = (count) => Array.from({ length: count }, (_, n) => n);

async function run(steps) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      console.log(`ok ${name}`);
    } catch (error) {
      if (error instanceof NotHere) {
        console.log(`none ${name}: ${error.message}`);
      } else {
        failed += 1;
        console.error(error);
        console.log(`fail ${name}: ${String(error).replace(/\s+/g, ' ').slice(0, 300)}`);
      }
    }
  }
  process.exit(failed ? 1 : 0);
}

module.exports = { NotHere, assert, settings, samples, pause, soon, range, run };
