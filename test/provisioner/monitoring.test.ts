import t from 'tap';
import type { CatalogWatches } from '../../lib/consul/watches.ts';
import { formatAddress } from '../../lib/model/address.ts';
import { ProvisioningSource } from '../../lib/provisioner/observe.ts';

const sentinels = [1, 2, 3].map((last) => ({ host: `10.0.0.${last}`, port: 26379 }));

/** A source, and the Sentinels that it has asked. */
function open() {
  const asked: string[] = [];
  const world: { state: object } = { state: { kind: 'pending' } };
  const follow = () => ({
    get state() {
      return world.state;
    },
    release: () => undefined,
  });
  const source = new ProvisioningSource({
    watches: { follow } as unknown as CatalogWatches,
    naming: { environment: undefined },
    access: {},
    onChange: () => undefined,
    openLink: (address) => ({
      monitoring: async () => {
        asked.push(formatAddress(address));
        if (address.host === '10.0.0.3') throw new Error('down');
        return { sentinel: address, masters: [] };
      },
      configure: async () => undefined,
      close: () => undefined,
    }),
  });
  t.teardown(() => source.release());
  return { world, source, asked };
}

t.test('a thousand masters that are compared at the same time take one question to each Sentinel', async (t) => {
  const { source, asked } = open();
  const sinceMs = performance.now();
  const compare = () => source.monitoring(sentinels, { sinceMs });
  const answers = await Promise.all(Array.from({ length: 1_000 }, compare));
  t.equal(
    answers.every((answer) => answer.length === 2),
    true,
    'those that answer',
  );
  await compare();
  t.strictSame(asked, sentinels.map(formatAddress));
});

t.test('masters that are woken one after another share a question too', async (t) => {
  const { source, asked } = open();
  const compare = () => source.monitoring(sentinels, { sinceMs: performance.now() });
  await Promise.all(Array.from({ length: 100 }, compare));
  t.strictSame(asked, sentinels.map(formatAddress));
});

t.test('what Consul holds is read once for all masters, until it changes', async (t) => {
  const { world, source } = open();
  t.equal(source.read(), undefined);
  world.state = { kind: 'current', value: [] };
  const first = source.read();
  t.equal(source.read(), first);
  world.state = { kind: 'current', value: [] };
  t.not(source.read(), first);
});

t.test('an answer from before a hint does not count', async (t) => {
  const { source, asked } = open();
  await source.monitoring(sentinels, { sinceMs: performance.now() });
  await source.monitoring(sentinels, { sinceMs: performance.now() });
  t.equal(asked.length, 6);
});

t.test('a Sentinel that was configured is asked again, and the others are not', async (t) => {
  const { source, asked } = open();
  const sinceMs = performance.now();
  await source.monitoring(sentinels, { sinceMs });
  const [sentinel = { host: '', port: 0 }] = sentinels;
  await source.configure({ kind: 'remove', sentinel, name: 'm' }, { timeoutMs: 100 });
  await source.monitoring(sentinels, { sinceMs });
  t.strictSame(asked.slice(3), ['10.0.0.1:26379']);
});
