// Writes keys by ioredis, and tells of those that a replica has: see ../cluster_soak.py.
"use strict";

const { Cluster } = require("ioredis");

const [name, ...ports] = process.argv.slice(2);
const cluster = new Cluster(
  ports.map((port) => ({ host: "127.0.0.1", port: Number(port) })),
  { redisOptions: { commandTimeout: 3000 }, clusterRetryStrategy: () => 100 },
);
cluster.on("error", () => {});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function main() {
  const confirmed = [];
  for (let number = 0; ; number++) {
    const key = `${name}:${number}`;
    try {
      const [[failure], [, replicas]] = await cluster.pipeline().set(key, number).wait(1, 1000).exec();
      if (!failure && replicas >= 1) {
        console.log(`confirmed ${key} ${number}`);
        confirmed.push(number);
      }
    } catch {
      await pause(50);
    }
    if (confirmed.length === 0) continue;
    const asked = confirmed[Math.floor(Math.random() * confirmed.length)];
    try {
      const answer = await cluster.get(`${name}:${asked}`);
      if (answer !== String(asked)) console.log(`wrong ${name}:${asked} ${answer}`);
    } catch {
      await pause(50);
    }
  }
}

process.on("SIGTERM", () => process.exit(0));
main();
