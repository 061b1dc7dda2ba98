import t from 'tap';
import type { Address } from '../../lib/model/address.ts';
import { Aliases, canonicalize, contested, namedIn } from '../../lib/model/aliases.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import type { SentinelView } from '../../lib/model/sentinel.ts';

const at = (host: string): Address => ({ host, port: 6379 });
const [ip, name, other] = [at('10.0.0.5'), at('redis-0'), at('10.0.0.6')];

function record(master: Address): MasterRecord {
  return {
    version: 1,
    name: 'shard1',
    generation: 1,
    epoch: 1,
    phase: 'confirmed',
    master,
    replicas: [],
    previous: null,
    reason: 'test',
    changedAt: '',
    changedBy: '',
  };
}

function view(master: Address, more: Partial<SentinelView> = {}): SentinelView {
  return {
    sentinelId: 's1',
    sentinel: at('10.0.0.9'),
    master,
    configEpoch: 1,
    condition: 'up',
    linked: true,
    quorum: 2,
    knownSentinels: 3,
    replicas: [],
    ...more,
  };
}

t.test(
  'names with one run id are one process, with the address of the record, else the one that most Sentinels use',
  async (t) => {
    const aliases = new Aliases();
    aliases.learn('s1', [{ address: ip, runId: 'a' }], 0);
    aliases.learn('s2', [{ address: name, runId: 'a' }], 0);
    t.strictSame(aliases.canonical(name, { record: undefined, nowMs: 0 }), ip, 'an IP address before a hostname');
    t.strictSame(aliases.canonical(ip, { record: record(name), nowMs: 0 }), name);
    aliases.learn('s3', [{ address: name, runId: 'a' }], 0);
    t.strictSame(aliases.canonical(ip, { record: undefined, nowMs: 0 }), name);
    t.strictSame(aliases.canonical(other, { record: record(name), nowMs: 0 }), other);
  },
);

t.test('names without a run id, or with different ones, stay apart', async (t) => {
  const aliases = new Aliases();
  aliases.learn('s1', [{ address: ip, runId: undefined }], 0);
  aliases.learn('s2', [{ address: name, runId: undefined }], 0);
  t.strictSame(aliases.canonical(name, { record: record(ip), nowMs: 0 }), name);
  aliases.learn('s1', [{ address: ip, runId: 'a' }], 0);
  aliases.learn('s2', [{ address: name, runId: 'b' }], 0);
  t.strictSame(aliases.canonical(name, { record: record(ip), nowMs: 0 }), name);
});

t.test('after a restart the Sentinels have half a minute to read the new run id', async (t) => {
  const aliases = new Aliases();
  aliases.learn('s1', [{ address: ip, runId: 'a' }], 0);
  aliases.learn('s2', [{ address: name, runId: 'a' }], 0);
  aliases.learn('s2', [{ address: name, runId: 'b' }], 1_000);
  t.strictSame(aliases.canonical(name, { record: record(ip), nowMs: 30_000 }), ip);
  t.strictSame(aliases.canonical(name, { record: record(ip), nowMs: 32_000 }), name, 'now it is another process');
  aliases.learn('s1', [{ address: ip, runId: 'b' }], 33_000);
  t.strictSame(aliases.canonical(name, { record: record(ip), nowMs: 33_000 }), ip);
});

t.test('a view names each process once', async (t) => {
  const canonical = (address: Address) => (address.host === 'redis-0' ? ip : address);
  const replicas = [
    { address: name, condition: 's_down' },
    { address: ip, condition: 'up' },
  ] as const;
  const unified = canonicalize(
    view(other, { replicas, promoting: name, election: { epoch: 2, selected: name } }),
    canonical,
  );
  t.strictSame(unified.replicas, [{ address: ip, condition: 'up' }]);
  t.strictSame([unified.promoting, unified.election?.selected], [ip, ip]);
  t.strictSame(canonicalize(view(name, { replicas }), canonical).replicas, [], 'the master is no replica of its own');
  t.strictSame(namedIn(view(name, { masterRunId: 'a', replicas: [{ address: ip, condition: 'up', runId: 'b' }] })), [
    { address: name, runId: 'a' },
    { address: ip, runId: 'b' },
  ]);
});

t.test('masters of one epoch are contested, but not those of a failover', async (t) => {
  t.strictSame(contested([view(ip), view(name)], undefined), [ip, name]);
  t.strictSame(contested([view(name)], record(ip)), [name, ip]);
  t.strictSame(contested([view(ip), view(other, { configEpoch: 2 })], record(ip)), []);
  t.strictSame(contested([view(name, { condition: 'failover' })], record(ip)), []);
});
