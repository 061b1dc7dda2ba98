import t from 'tap';
import { readReplica } from '../../../lib/bridge/observe/crash-reading.ts';
import type { RedisPool } from '../../../lib/client/redis-pool.ts';

/* What a replica's answers after a crash say about its data. */
const address = { host: '10.0.0.6', port: 6379 };
const noperm = new Error("NOPERM User switchmaster has no permissions to run the 'info' command");
const keyspace = '# Keyspace\r\ndb0:keys=7,expires=2,avg_ttl=0\r\n';
const roleOf = (state: string) => ['slave', '10.0.0.5', 6379, state, 4_000];
const since = (seconds: number) => `role:slave\r\nmaster_link_down_since_seconds:${seconds}\r\n`;

const read = (answers: readonly unknown[], wasInStep: boolean) =>
  readReplica({ command: async () => answers } as unknown as RedisPool, { address, wasInStep });

const cases: Readonly<Record<string, readonly [answers: readonly unknown[], wanted: object]>> = {
  'it has had its master until a moment ago': [
    [roleOf('connect'), keyspace, since(0)],
    { link: 'down', wasInStep: true, keys: 5 },
  ],
  'its process was never connected to a master': [
    [roleOf('connecting'), keyspace, since(-1)],
    { link: 'down', wasInStep: false },
  ],
  'it refuses INFO, so it can be a process that has restarted without data': [
    [roleOf('connect'), noperm, noperm],
    { link: 'down', wasInStep: false },
  ],
  'its link is up, and INFO does not have the time for which it was down': [
    [roleOf('connected'), keyspace, 'role:slave\r\n'],
    { link: 'connected', wasInStep: true },
  ],
  'it copies the data of the master': [[roleOf('sync'), keyspace, since(1)], { link: 'syncing', wasInStep: true }],
  'it is a master': [[['master', 0, []], keyspace, 'role:master\r\n'], { link: 'unanswered', wasInStep: true }],
  'it refuses ROLE': [[noperm, keyspace, since(0)], { link: 'unanswered' }],
};
for (const [when, [answers, wanted]] of Object.entries(cases)) {
  t.test(when, async (t) => {
    t.match(await read(answers, true), wanted);
    t.match(await read(answers, false), { wasInStep: false }, 'and what was not in step before is not now');
  });
}
