import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { ChangeFeed } from '../../lib/consul/change-feed.ts';
import type { Reader } from '../../lib/consul/watch.ts';
import { waitFor } from '../sandbox/condition.ts';

/** A catalog whose services change when the test changes them, and whose checks never do. */
class Catalog implements Reader {
  readonly #changes = new EventEmitter();
  #index = 1n;
  blocked = 0;

  async read({ kind }: { kind: string }, { index, signal }: { index?: bigint; signal?: AbortSignal }): Promise<never> {
    if (kind === 'health' && index !== 0n) await once(this.#changes, 'never', { signal });
    if (index === this.#index) {
      this.blocked += 1;
      await once(this.#changes, 'change', { signal });
    }
    return { value: undefined, index: this.#index, knownLeader: true, lastContactMs: 0 } as never;
  }

  change(): void {
    this.#index += 1n;
    this.#changes.emit('change');
  }
}

const longWait = { timeoutMs: 60_000, signal: undefined };

t.test('while some subscribers still read, all changes cause one notification after the last has read', async (t) => {
  const catalog = new Catalog();
  const changeFeed = new ChangeFeed({ client: catalog, dc: undefined, sweepMs: 1 });
  const releases = [changeFeed.subscribe(), changeFeed.subscribe()];
  t.teardown(() => releases.map((release) => release()));
  await waitFor('the change feed to listen', () => catalog.blocked, { until: (count) => count === 1 });
  const [quick, slow] = [changeFeed.next(0, longWait), changeFeed.next(0, longWait)];
  catalog.change();
  await Promise.all([quick, slow]);
  t.equal(changeFeed.count, 1);
  const again = changeFeed.next(1, longWait);
  for (const listened of [2, 3, 4]) {
    await waitFor('the change feed to listen again', () => catalog.blocked, { until: (count) => count === listened });
    catalog.change();
  }
  await waitFor('the last change to be heard', () => catalog.blocked, { until: (count) => count === 5 });
  t.equal(changeFeed.count, 1, 'the slow subscriber still reads');
  await Promise.all([again, changeFeed.next(1, longWait)]);
  t.equal(changeFeed.count, 2);
});

t.test('a subscriber that leaves while it reads delays no other', async (t) => {
  const catalog = new Catalog();
  const changeFeed = new ChangeFeed({ client: catalog, dc: undefined, sweepMs: 1 });
  const [stay, go] = [changeFeed.subscribe(), changeFeed.subscribe()];
  t.teardown(stay);
  await waitFor('the change feed to listen', () => catalog.blocked, { until: (count) => count === 1 });
  const next = changeFeed.next(0, longWait);
  catalog.change();
  await waitFor('the change to be heard', () => catalog.blocked, { until: (count) => count === 2 });
  t.equal(changeFeed.count, 0);
  go();
  await next;
  t.equal(changeFeed.count, 1);
});
