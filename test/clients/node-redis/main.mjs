import { readFileSync } from 'node:fs';
import { job, sentinels, writeForEver } from '../write.mjs';
import { makeClient } from './client.mjs';

const client = makeClient(sentinels, job.name, {
  ...(job.password === undefined ? {} : { password: job.password }),
  ...(job.caFile === undefined ? {} : { socket: { tls: true, ca: readFileSync(job.caFile, 'utf8') } }),
});
await client.connect();
await writeForEver((key, value) => client.sAdd(key, value));
