import { mock } from 'node:test';
import t from 'tap';
import { Expectations } from '../../lib/consul/expectations.ts';
import type { ExpectedMaster } from '../../lib/model/expected-master.ts';

const sentinel = { host: '10.0.0.9', port: 26379 };

function expectedOf(name: string, epoch = 1): ExpectedMaster {
  return { name, epoch, sentinel, master: { host: '10.0.0.2', port: 6379 } };
}

function start() {
  const expectations = new Expectations();
  const heard: string[] = [];
  const note = (what: string) => (expected: ExpectedMaster) => heard.push(`${what} ${expected.name} ${expected.epoch}`);
  const unlisten = expectations.listen({ begun: note('begun'), ended: note('ended') });
  return { expectations, heard, unlisten };
}

t.test('a failover is expected once, and a newer one replaces it', async (t) => {
  const { expectations, heard } = start();
  expectations.begin(expectedOf('a', 2));
  expectations.begin(expectedOf('a', 2));
  expectations.begin(expectedOf('a', 1));
  t.strictSame(heard, ['begun a 2']);
  expectations.begin(expectedOf('a', 3));
  t.strictSame(heard, ['begun a 2', 'ended a 2', 'begun a 3']);
});

t.test('only the Sentinel that leads a failover ends it', async (t) => {
  const { expectations, heard } = start();
  expectations.begin(expectedOf('a'));
  expectations.abort('a', { ...sentinel, port: 1 });
  expectations.abort('b', sentinel);
  t.strictSame(heard, ['begun a 1']);
  expectations.abort('a', sentinel);
  t.strictSame(heard, ['begun a 1', 'ended a 1']);
});

t.test('three failovers at a time are expected', async (t) => {
  const { expectations, heard } = start();
  for (const name of ['a', 'b', 'c', 'd']) expectations.begin(expectedOf(name));
  t.strictSame(heard, ['begun a 1', 'begun b 1', 'begun c 1']);
  expectations.decided({ name: 'b', epoch: 1 });
  expectations.abort('b', sentinel);
  t.strictSame(heard.length, 3, 'a failover that has a record is not aborted');
  expectations.begin(expectedOf('d'));
  expectations.begin(expectedOf('e'));
  t.strictSame(heard.slice(3), ['begun d 1']);
});

t.test('the record of an earlier failover decides nothing', async (t) => {
  const { expectations, heard } = start();
  expectations.begin(expectedOf('a', 5));
  expectations.decided({ name: 'a', epoch: 4 });
  expectations.decided({ name: 'b', epoch: 5 });
  expectations.abort('a', sentinel);
  t.strictSame(heard, ['begun a 5', 'ended a 5']);
  expectations.begin(expectedOf('b', 5));
  expectations.decided({ name: 'b', epoch: 6 });
  expectations.abort('b', sentinel);
  t.strictSame(heard.slice(2), ['begun b 5'], 'a later one has succeeded');
});

t.test('a failover that has no result ends by itself', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { expectations, heard, unlisten } = start();
  expectations.begin(expectedOf('a'));
  mock.timers.tick(9_999);
  t.strictSame(heard, ['begun a 1']);
  mock.timers.tick(1);
  t.strictSame(heard, ['begun a 1', 'ended a 1']);
  unlisten();
  expectations.begin(expectedOf('b'));
  t.equal(heard.length, 2, 'nobody listens any more');
});
