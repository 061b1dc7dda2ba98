import t from 'tap';
import { agreement } from '../../lib/model/judgement/votes.ts';

const master = { host: '10.0.0.1', port: 6379 };
const record = { master, epoch: 5 };

t.test('a Sentinel agrees if it names the master of the record at its epoch', async (t) => {
  t.equal(agreement({ master, epoch: 5 }, record), true);
  t.equal(agreement({ master, epoch: 6 }, record), false);
  t.equal(agreement({ master: { host: '10.0.0.2', port: 6379 }, epoch: 5 }, record), false);
});

t.test('without a master or a record there is nothing to agree with', async (t) => {
  t.equal(agreement({ master: null, epoch: null }, record), null);
  t.equal(agreement({ master, epoch: 5 }, null), null);
});
