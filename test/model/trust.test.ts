import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { formatRecord, type MasterRecord } from '../../lib/model/record.ts';
import { describeUntrusted, judgeRecords, type TrustInput } from '../../lib/model/trust.ts';
import { makeRecord } from '../template/world.ts';

const entryOf = (record: MasterRecord) => ({
  key: `redis/record/${record.name}`,
  value: formatRecord(record),
  modifyIndex: 1,
});
const at = (host: string, epoch: number, generation = 1) =>
  makeRecord({ name: 'm', master: { host, port: 1 }, epoch, generation });
const rubbish = { key: 'redis/record/m', value: 'rubbish', modifyIndex: 1 };
const last = at('10.0.0.1', 5);

interface Case {
  readonly what: string;
  /** Consul's record. */
  readonly record?: MasterRecord | 'rubbish';
  /** Hosts of the plain key and the service. */
  readonly proofs: readonly string[];
  /** Default: as `proofs`. */
  readonly current?: readonly string[];
  /** Default `read`. */
  readonly kind?: 'read' | 'pending';
  readonly decided?: MasterRecord;
  /** Whether Consul lost its data. */
  readonly lost?: true;
  /** The host that is followed; undefined where the master is gone. */
  readonly host: string | undefined;
  readonly reason?: string;
}

const table: readonly Case[] = [
  {
    what: 'a change that the key shares',
    record: at('10.0.0.2', 6),
    proofs: ['10.0.0.2', '10.0.0.1'],
    host: '10.0.0.2',
  },
  { what: 'a change without any evidence', record: at('10.0.0.2', 6), proofs: [], host: '10.0.0.2' },
  {
    what: 'an edit by hand',
    record: at('10.9.9.9', 9),
    proofs: ['10.0.0.1'],
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  {
    what: 'a change that only an outdated watch contradicts',
    record: at('10.0.0.2', 6),
    proofs: ['10.0.0.1'],
    current: [],
    host: '10.0.0.2',
  },
  { what: 'an edit of the key alone', record: last, proofs: ['10.9.9.9', '10.0.0.1'], host: '10.0.0.1' },
  {
    what: 'an edit to an older version',
    record: at('10.0.0.2', 4),
    proofs: ['10.0.0.1'],
    host: '10.0.0.1',
    reason: 'older',
  },
  {
    what: 'another address at the same version',
    record: at('10.0.0.2', 5),
    proofs: ['10.0.0.2', '10.0.0.1'],
    host: '10.0.0.1',
    reason: 'older',
  },
  {
    what: 'another spelling of the same host at the same version',
    record: at('::ffff:10.0.0.1', 5),
    proofs: ['10.0.0.1'],
    host: '::ffff:10.0.0.1',
  },
  {
    what: 'a change that the key shares in another spelling',
    record: at('redis-2.example', 6),
    proofs: ['Redis-2.Example.'],
    host: 'redis-2.example',
  },
  {
    what: 'an older version with all the evidence in other spellings',
    record: at('fd00::5', 1),
    proofs: ['fd00:0:0::0005', 'fd00::5'],
    host: 'fd00::5',
  },
  { what: 'an older version with all the evidence', record: at('10.0.0.2', 1), proofs: ['10.0.0.2'], host: '10.0.0.2' },
  { what: 'an older version with the same address', record: at('10.0.0.1', 1), proofs: [], host: '10.0.0.1' },
  { what: 'a value that is no record', record: 'rubbish', proofs: [], host: '10.0.0.1', reason: 'unreadable' },
  { what: 'a deleted record', proofs: ['10.0.0.1'], host: '10.0.0.1', reason: 'deleted' },
  { what: 'a removed master', proofs: [], host: undefined },
  { what: 'a record that Consul lost with all its data', proofs: [], lost: true, host: '10.0.0.1', reason: 'lost' },
  { what: 'a lost record that is back', record: at('10.0.0.2', 6), proofs: ['10.0.0.2'], lost: true, host: '10.0.0.2' },
  {
    what: 'a master whose evidence was not read yet',
    proofs: [],
    kind: 'pending',
    host: '10.0.0.1',
    reason: 'deleted',
  },
  {
    what: "this node's decision",
    record: at('10.0.0.2', 6),
    decided: at('10.0.0.2', 6),
    proofs: ['10.0.0.1'],
    host: '10.0.0.2',
  },
  {
    what: 'a deleted record with a newer decision',
    decided: at('10.0.0.2', 6),
    proofs: ['10.0.0.1'],
    host: '10.0.0.2',
    reason: 'deleted',
  },
];

for (const { what, record, proofs, current = proofs, kind = 'read', decided, lost, host, reason } of table) {
  t.test(what, async (t) => {
    const addresses = (hosts: readonly string[]) => new Set(hosts.map((one) => formatAddress({ host: one, port: 1 })));
    const entries = record === undefined ? [] : [record === 'rubbish' ? rubbish : entryOf(record)];
    const input: TrustInput = {
      trusted: [entryOf(last)],
      entries,
      evidence: () => ({ addresses: addresses(proofs), current: addresses(current), kind }),
      decided: () => decided,
      lost: new Set(lost === undefined ? [] : ['m']),
    };
    const trust = judgeRecords(input);
    t.same(
      trust.entries.map(({ value }) => JSON.parse(value).master.host),
      host === undefined ? [] : [host],
    );
    t.same(
      trust.held.map((held) => held.reason),
      reason === undefined ? [] : [reason],
    );
  });
}

t.test('a new master is followed at once, also beside one that is held', async (t) => {
  const other = makeRecord({ name: 'n' });
  const { entries, held } = judgeRecords({
    trusted: [entryOf(last)],
    entries: [entryOf(other)],
    evidence: () => ({ addresses: new Set(['10.0.0.1:1']), current: new Set(), kind: 'read' }),
    decided: () => undefined,
  });
  t.same(
    entries.map(({ key }) => key),
    ['redis/record/m', 'redis/record/n'],
  );
  t.match(held.map(describeUntrusted), [/^master m stays 10\.0\.0\.1:1 \(its record was deleted/]);
});
