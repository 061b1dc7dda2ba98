import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { formatRecord, type MasterRecord } from '../../lib/model/record.ts';
import { describeUntrusted, type Evidence, judgeRecords } from '../../lib/model/trust.ts';
import { makeRecord } from '../template/world.ts';
import { type Case, last, table } from './trust-cases.ts';

const entryIndex = 9;
const entryOf = (record: MasterRecord) => ({
  key: `redis/record/${record.name}`,
  value: formatRecord(record),
  modifyIndex: entryIndex,
});
const rubbish = { key: 'redis/record/m', value: 'rubbish', modifyIndex: 1 };
const addressOf = (host: string) => (host === '' ? '' : formatAddress({ host, port: 1 }));

function evidenceOf({ key, services = [], outdated, unavailable, oneTransaction, kind = 'read' }: Case): Evidence {
  const quality = (one: 'key' | 'services') =>
    unavailable === true ? 'unavailable' : outdated === 'both' || outdated === one ? 'outdated' : 'current';
  const modifyIndex = oneTransaction === undefined ? 7 : entryIndex;
  return {
    key: key === undefined ? undefined : { address: addressOf(key), modifyIndex },
    services: services.map(addressOf),
    watches: { key: quality('key'), services: quality('services') },
    kind,
  };
}

for (const row of table) {
  t.test(row.what, async (t) => {
    const { record, decided, lost, lasting, host, reason } = row;
    const entries = record === undefined ? [] : [record === 'rubbish' ? rubbish : entryOf(record)];
    const trust = judgeRecords({
      trusted: [entryOf(last)],
      entries,
      evidence: () => evidenceOf(row),
      decided: () => decided,
      lost: new Set(lost === undefined ? [] : ['m']),
      lasting: new Set(lasting === undefined ? [] : ['m']),
    });
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
    evidence: () => evidenceOf({ what: '', key: '10.0.0.1', outdated: 'both', host: undefined }),
    decided: () => undefined,
  });
  t.same(
    entries.map(({ key }) => key),
    ['redis/record/m', 'redis/record/n'],
  );
  t.match(held.map(describeUntrusted), [/^master m stays 10\.0\.0\.1:1 \(its record was deleted/]);
});
