import { readFileSync } from 'node:fs';
import { job, sentinels, writeForEver } from '../write.mjs';
import { makeClient } from './client.mjs';

const client = makeClient(sentinels, job.name, {
  ...(job.password === undefined ? {} : { sentinelPassword: job.password }),
  ...(job.caFile === undefined ? {} : { sentinelTLS: { ca: readFileSync(job.caFile, 'utf8') } }),
});
await writeForEver((key, value) => client.sadd(key, value));
