// BullMQ: jobs, delays, priorities, retries, flows and schedules, with a real worker.
'use strict';

const assert = require('node:assert/strict');
const { FlowProducer, Queue, QueueEvents, Worker } = require('bullmq');
const { version } = require('bullmq/package.json');

const connection = { port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
const JOBS = 300;
const opened = [];
const open = (made) => { opened.push(made); return made; };

const steps = {
  async jobs() {
    const queue = open(new Queue('sums', { connection }));
    const events = open(new QueueEvents('sums', { connection }));
    const add = async ({ data }) => data.x + data.y;
    open(new Worker('sums', add, { connection, concurrency: 10 }));
    await events.waitUntilReady();
    const bulk = Array.from({ length: JOBS }, (_, n) => ({ name: 'add', data: { x: n, y: n } }));
    const jobs = await queue.addBulk(bulk);
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 60_000)));
    assert.deepEqual(results, bulk.map(({ data }) => data.x + data.y));
    assert.equal(await queue.getCompletedCount(), JOBS);
    const late = await queue.add('add', { x: 1, y: 2 }, { delay: 500 });
    assert.equal(await late.getState(), 'delayed');
    assert.equal(await late.waitUntilFinished(events, 60_000), 3);
    const first = await queue.add('add', { x: 1, y: 1 }, { jobId: 'one' });
    await first.waitUntilFinished(events, 60_000);
    await queue.add('add', { x: 1, y: 1 }, { jobId: 'one' });
    assert.equal(await queue.getCompletedCount(), JOBS + 2);
  },

  async priorities() {
    const queue = open(new Queue('ranked', { connection }));
    for (const priority of [3, 1, 2]) await queue.add('job', { priority }, { priority });
    const seen = [];
    await new Promise((resolve, reject) => {
      const take = async ({ data }) => { seen.push(data.priority); };
      const worker = open(new Worker('ranked', take, { connection }));
      worker.on('completed', () => seen.length === 3 && resolve());
      worker.on('failed', (_, error) => reject(error));
    });
    assert.deepEqual(seen, [1, 2, 3]);
  },

  async retries() {
    const queue = open(new Queue('flaky', { connection }));
    const events = open(new QueueEvents('flaky', { connection }));
    const work = async (job) => {
      if (job.name === 'never' || job.attemptsMade < 2) throw new Error('again');
      return job.attemptsMade;
    };
    open(new Worker('flaky', work, { connection }));
    await events.waitUntilReady();
    const options = { attempts: 3, backoff: { type: 'fixed', delay: 50 } };
    const flaky = await queue.add('flaky', {}, options);
    assert.equal(await flaky.waitUntilFinished(events, 60_000), 2);
    const never = await queue.add('never', {}, options);
    await assert.rejects(never.waitUntilFinished(events, 60_000), /again/);
    assert.equal(await queue.getFailedCount(), 1);
    await queue.obliterate({ force: true });
    assert.equal(await queue.getJobCountByTypes('failed', 'completed'), 0);
  },

  async flows() {
    const events = open(new QueueEvents('parents', { connection }));
    open(new Worker('children', async ({ data }) => data.n * 10, { connection }));
    const sum = async (job) => Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
    open(new Worker('parents', sum, { connection }));
    await events.waitUntilReady();
    const children = [1, 2, 3].map((n) => ({ name: 'child', queueName: 'children', data: { n } }));
    const flow = open(new FlowProducer({ connection }));
    const { job } = await flow.add({ name: 'parent', queueName: 'parents', children });
    assert.equal(await job.waitUntilFinished(events, 60_000), 60);
  },

  async schedules() {
    const queue = open(new Queue('ticks', { connection }));
    let ticks = 0;
    open(new Worker('ticks', async () => { ticks += 1; }, { connection }));
    await queue.upsertJobScheduler('every', { every: 200 }, { name: 'tick' });
    for (let n = 0; n < 300 && ticks < 3; n += 1) await new Promise((done) => setTimeout(done, 50));
    assert.ok(ticks >= 3);
    assert.equal(await queue.removeJobScheduler('every'), true);
  },
};

(async () => {
  console.log(`version bullmq ${version}`);
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.error(error);
      console.log(`fail ${name}: ${String(error).replace(/\s+/g, ' ').slice(0, 300)}`);
    }
  }
  await Promise.race([
    Promise.all(opened.map((each) => each.close())),
    new Promise((done) => setTimeout(done, 3000)),
  ]);
  process.exit(failed ? 1 : 0);
})();
