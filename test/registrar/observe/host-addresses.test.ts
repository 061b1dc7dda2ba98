import t from 'tap';
import { HostAddresses } from '../../../lib/registrar/observe/host-addresses.ts';
import { waitFor } from '../../sandbox/condition.ts';

t.test('a name that does not resolve, or whose server does not answer, delays no other name', async (t) => {
  const asked: string[] = [];
  let changes = 0;
  const hosts = new HostAddresses({
    resolve: (host) => {
      asked.push(host);
      if (host === 'silent') return new Promise(() => {});
      return host === 'missing' ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(['::FFFF:10.0.0.5']);
    },
    onChange: () => changes++,
    retryMs: 1,
  });
  t.teardown(() => hosts.close());
  hosts.follow(['silent', 'missing', 'Redis-0.Example.', '10.0.0.9']);
  t.strictSame(hosts.of('redis-0.example'), [], 'it does not wait for the resolver');
  t.strictSame(hosts.of('10.0.0.9'), ['10.0.0.9']);
  t.ok(hosts.isUnresolved('redis-0.example'));
  await waitFor('the name that resolves', () => hosts.of('redis-0.example'), { until: ([one]) => one === '10.0.0.5' });
  await waitFor('another question', () => asked.filter((host) => host === 'missing').length > 1);
  t.equal(changes, 1);
  t.notOk(hosts.isUnresolved('REDIS-0.example'));
  t.ok(hosts.isUnresolved('missing'));
  t.notOk(asked.includes('10.0.0.9'), 'an address is not resolved');
});

t.test('the last addresses of a name count while it cannot be resolved, until it moves', async (t) => {
  const answers: (readonly string[] | undefined)[] = [['10.0.0.5'], undefined, ['10.0.0.5'], undefined, ['10.0.0.6']];
  const seen: (readonly string[])[] = [];
  const hosts = new HostAddresses({
    resolve: async () => {
      const answer = answers.length > 0 ? answers.shift() : ['10.0.0.6'];
      if (answer === undefined) throw new Error('EAI_AGAIN');
      return answer;
    },
    onChange: () => seen.push(hosts.of('redis-0')),
    freshMs: 1,
    retryMs: 1,
  });
  t.teardown(() => hosts.close());
  hosts.follow(['redis-0']);
  await waitFor('the last answer', () => seen.length === 2);
  t.strictSame(seen, [['10.0.0.5'], ['10.0.0.6']]);
  hosts.follow([]);
  t.strictSame(hosts.of('redis-0'), [], 'a name that nobody follows is forgotten');
});
