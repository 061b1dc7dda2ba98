// The writer that every Node client shares. The other programs here do the same in their language.
import { setTimeout as delay } from 'node:timers/promises';

/** What the test asks for: `sentinels` ("host:port"), `name` of the master, `key`, and `password` and `caFile` for the Sentinels. */
export const job = JSON.parse(process.argv[2] ?? '{}');

export const sentinels = job.sentinels.map((address) => {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
});

/**
 * Adds 1, 2, 3 … to the set `job.key`, one after the other, until the process ends. Prints each number when Redis has
 * acknowledged it.
 */
export async function writeForEver(write) {
  for (let n = 1; ; n += 1) {
    try {
      await write(job.key, String(n));
      print(process.stdout, { n, atMs: now() });
    } catch (error) {
      print(process.stderr, { n, atMs: now(), error: String(error) });
    }
    await delay(10);
  }
}

function now() {
  return performance.timeOrigin + performance.now();
}

function print(stream, line) {
  stream.write(`${JSON.stringify(line)}\n`);
}
