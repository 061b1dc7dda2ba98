import t from 'tap';
import { expectedRecord } from '../../lib/model/expected-master.ts';
import { makeRecord } from '../template/world.ts';

const next = { host: '10.0.0.2', port: 6379 };
const sentinel = { host: '10.0.0.9', port: 26379 };
const expected = { name: 'shard1', master: next, epoch: 5, sentinel };

t.test('the expected record is the one that a promotion leads to', async (t) => {
  const record = makeRecord();
  t.match(expectedRecord(record, expected), {
    epoch: 5,
    phase: 'promoted',
    master: next,
    replicas: [record.master],
    previous: record.master,
  });
});

t.test('nothing is expected of another master, of an old failover, or of one that has succeeded', async (t) => {
  t.equal(expectedRecord(makeRecord({ name: 'shard2' }), expected), undefined);
  t.equal(expectedRecord(makeRecord({ epoch: 5 }), expected), undefined);
  t.equal(expectedRecord(makeRecord({ master: next }), expected), undefined);
});
