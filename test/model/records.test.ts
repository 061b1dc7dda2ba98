import t from 'tap';
import { parseClusterRecord } from '../../lib/model/cluster.ts';
import { formatRecord } from '../../lib/model/record.ts';
import { isMarkerKey, readRecords } from '../../lib/model/records.ts';
import { makeRecord } from '../template/world.ts';

const prefix = 'redis/record/';
const value = formatRecord(makeRecord());

t.test('keys that hold no record are ignored, each with its reason, and the records are read', async (t) => {
  const { records, ignoredKeys } = readRecords(
    [
      { key: prefix, value: '' },
      { key: `${prefix}shard1`, value },
      { key: `${prefix}shard1/.lock`, value: '' },
      { key: `${prefix}shard2`, value: 'rubbish' },
      { key: `${prefix}shard3`, value: '{"version":1}' },
      { key: `${prefix}shard1.bak`, value },
    ],
    prefix,
  );
  t.strictSame(
    records.map(({ name }) => name),
    ['shard1'],
  );
  t.strictSame(
    ignoredKeys.map(({ key, kind }) => `${kind} ${key.slice(prefix.length)}`),
    ['marker ', 'marker shard1/.lock', 'unreadable shard2', 'unreadable shard3', 'other-name shard1.bak'],
  );
  t.match(ignoredKeys[4], { message: /"redis\/record\/shard1\.bak" holds the record of another master, "shard1"/ });
});

t.test('folders and the locks of `consul lock` are no records', async (t) => {
  t.strictSame(['redis/desired/', 'redis/desired/shard1/.lock', 'redis/desired/shard1'].map(isMarkerKey), [
    true,
    true,
    false,
  ]);
});

t.test('a record of a cluster with invalid items in its lists is no record', async (t) => {
  const record = { version: 1, name: 'c', epoch: 1, state: 'ok', changedAt: '', changedBy: '', shards: [] };
  for (const uncovered of [[null], [1], ['x'], [{}], [[]], {}])
    t.equal(parseClusterRecord(JSON.stringify({ ...record, uncovered })), undefined);
  t.ok(parseClusterRecord(JSON.stringify({ ...record, uncovered: [] })));
});
