import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { formatRecord, type MasterRecord, parseRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';

// A busy machine takes its time.
t.setTimeout(480_000);
const timeoutMs = 60_000;
/** The default of `sentinel.rebaseAfter`. */
const rebaseAfterMs = 10_000;
const sandbox = await Sandbox.openFor(t, { name: 'edited' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1' })]);
// Every failover here is ordered.
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard], downAfterMs: 10_000 });
const source = sandbox.write('app.hbs', '{{key "edit"}}{{#each redisMasters}} {{name}} {{address}}{{/each}}\n');
await consul.putKey('edit', '0');

/** A daemon that renders; its reload notes every text that took effect. */
async function startDaemon({
  name,
  place,
  ...more
}: {
  readonly name: string;
  readonly place: 'here' | 'process';
  readonly sentinel?: object;
}) {
  const [destination, log] = [sandbox.path(`${name}.conf`), sandbox.path(`${name}.texts`)];
  const reload = { command: ['/bin/sh', '-c', `cat ${destination} >> ${log}`] };
  const templates = [{ source, destination, reload, header: false }];
  const options = { name, config: { consul: { address: consul.url }, templates, ...more } };
  // Bridges of one process sign records with the same name.
  await (place === 'process' ? sandbox.switchmaster(options) : sandbox.localDaemon(options));
  return () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
}

const sentinel = { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard1'] };
const texts = await Promise.all([
  startDaemon({ name: 'bridge-and-renderer', place: 'here', sentinel }),
  startDaemon({ name: 'renderer', place: 'here' }),
  startDaemon({ name: 'another-bridge', place: 'process', sentinel }),
]);

const key = 'redis/record/shard1';
const master = formatAddress(shard.master.address);
const replica = (shard.replicas[0] as RedisServer).address;
const foreign = { host: '192.0.2.1', port: 6379 };

async function editRecord({ edit, withKey }: Omit<Edit, 'what'>): Promise<void> {
  const edited = edit(await readRecord());
  await consul.putKey(key, formatRecord(edited));
  if (withKey) await consul.putKey('redis/master/shard1', formatAddress(edited.master));
}

async function readRecord(): Promise<MasterRecord> {
  return waitFor('the record', async () => parseRecord((await consul.key(key)) ?? ''), { timeoutMs }) as never;
}

interface Edit {
  readonly what: string;
  readonly edit: (record: MasterRecord) => MasterRecord;
  /** Whether the plain key is edited as well. */
  readonly withKey?: true | undefined;
}

const edits: readonly Edit[] = [
  {
    what: 'a foreign address at a higher epoch',
    edit: (record) => ({ ...record, epoch: record.epoch + 100, master: foreign }),
  },
  {
    what: 'a foreign address in a later generation',
    edit: (record) => ({ ...record, generation: record.generation + 1, epoch: 1, master: foreign }),
  },
  {
    what: 'a replica at a higher epoch',
    edit: (record) => ({ ...record, epoch: record.epoch + 100, master: replica }),
  },
  { what: 'a foreign address at the same epoch', edit: (record) => ({ ...record, master: foreign }) },
  {
    what: 'a foreign address at a higher epoch, and the key with it',
    edit: (record) => ({ ...record, epoch: record.epoch + 100, master: foreign }),
    withKey: true,
  },
  {
    what: 'a foreign address that waits for its confirmation',
    edit: (record) => ({ ...record, epoch: record.epoch + 100, master: foreign, phase: 'promoted' }),
  },
];

for (const [i, { what, edit, withKey }] of edits.entries()) {
  t.test(`no renderer follows a record that was edited by hand: ${what}`, async (t) => {
    const marker = String(i + 1);
    await editRecord({ edit, withKey });
    const editedMs = performance.now();
    const isRepaired = (record: MasterRecord) => formatAddress(record.master) === master;
    await waitFor('the record to be repaired', readRecord, { until: isRepaired, timeoutMs });
    t.ok(performance.now() - editedMs < rebaseAfterMs, 'sooner than rebuilt Sentinels count');
    // A later change that every renderer follows: it has read the edit before.
    await consul.putKey('edit', marker);
    const isLater = (now: readonly string[]) => now.every((text) => text.includes(`${marker} shard1 `));
    const all = await waitFor('later texts', () => texts.map((text) => text()), { until: isLater, timeoutMs });
    for (const text of all) t.notMatch(text, new RegExp(`${foreign.host}|${formatAddress(replica)}`));
    t.equal(all.length, 3);
  });
}

/** What somebody does to the record right after a failover was ordered. */
const disturbances: readonly { readonly what: string; readonly disturb: () => Promise<void> }[] = [
  {
    what: 'the record and the key were edited',
    disturb: () =>
      editRecord({ edit: (record) => ({ ...record, epoch: record.epoch + 100, master: foreign }), withKey: true }),
  },
  {
    what: 'only the epoch of the record was edited',
    disturb: () => editRecord({ edit: (record) => ({ ...record, epoch: record.epoch + 100 }) }),
  },
  {
    what: 'the record and the key were deleted',
    disturb: async () => {
      for (const deleted of [key, 'redis/master/shard1']) await consul.delete(`/v1/kv/${deleted}`);
    },
  },
];

/**
 * Waits until Sentinel can select the replica, and still can after a second: the demotion of a former master ends the
 * connections of Sentinel as well, which then aborts a failover.
 */
async function untilUp(replica: Address): Promise<void> {
  let inARow = 0;
  const read = async () => {
    const infos = await only(sentinels).replicaInfos('shard1');
    const info = infos.find(({ name }) => name === formatAddress(replica));
    const isUp = info?.flags === 'slave' && info['role-reported'] === 'slave' && info['master-link-status'] === 'ok';
    inARow = isUp ? inARow + 1 : 0;
    return inARow;
  };
  await waitFor('a replica that stays up', read, { until: (count) => count > 10, intervalMs: 100, timeoutMs });
}

for (const { what, disturb } of disturbances) {
  t.test(`bridges follow a failover as such although meanwhile ${what}`, async (t) => {
    const before = await readRecord();
    const successor = only(before.replicas);
    await untilUp(successor);
    // Sentinel refuses while it ends the last one.
    await waitFor('a failover', () => only(sentinels).command('SENTINEL', 'FAILOVER', 'shard1'), { timeoutMs });
    await disturb();
    const isAfter = ({ master, phase }: MasterRecord) =>
      phase === 'confirmed' && formatAddress(master) === formatAddress(successor);
    const after = await waitFor('the failover in the record', readRecord, { until: isAfter, timeoutMs }).catch(
      (error) => {
        for (const sentinel of sentinels) t.comment(sentinel.logTail());
        throw error;
      },
    );
    // Not as what the Sentinels say after an edit that was waited for.
    t.match(after, { reason: /^failover/, previous: before.master });
  });
}
