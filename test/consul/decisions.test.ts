import fc from 'fast-check';
import t from 'tap';
import { DecidedWatches, Decisions } from '../../lib/consul/decisions.ts';
import type { WatchEvent } from '../../lib/consul/watch-state.ts';
import type { Follow, Watches } from '../../lib/consul/watches.ts';
import type { KvEntry } from '../../lib/model/catalog.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import { formatRecord, type MasterRecord, parseRecord } from '../../lib/model/record.ts';
import { at, record } from '../bridge/plan/world.ts';

const prefix = 'redis/record/';

/** Consul's side, set by the test. */
class Pushed implements Watches {
  entries: readonly KvEntry[] = [];
  readonly #listeners = new Set<(event: WatchEvent) => void>();

  follow(query: never, onChange: (event: WatchEvent) => void): never {
    this.#listeners.add(onChange);
    const pushed = this;
    const follow = {
      query,
      get state() {
        return { kind: 'current', value: pushed.entries, index: 1n, resets: 0 };
      },
      release: () => this.#listeners.delete(onChange),
    };
    return follow as never;
  }

  put(...records: readonly MasterRecord[]): void {
    this.entries = records.map((one) => ({ key: prefix + one.name, value: formatRecord(one), modifyIndex: 1 }));
    for (const listener of this.#listeners) listener('value');
  }
}

function start() {
  const [pushed, decisions] = [new Pushed(), new Decisions()];
  let changes = 0;
  const watches = new DecidedWatches({ watches: pushed, decisions, prefix });
  const follow: Follow<{ kind: 'key-tree'; prefix: string }> = watches.follow({ kind: 'key-tree', prefix }, () => {
    changes += 1;
  });
  const seen = (name = 'm') => {
    const { state } = follow;
    if (state.kind !== 'current') throw new Error(`the state is ${state.kind}`);
    const value = state.value.find(({ key }) => key === prefix + name)?.value;
    return value === undefined ? undefined : parseRecord(value);
  };
  return { pushed, decisions, watches, follow, seen, changes: () => changes };
}

const five = record('A', { epoch: 5 });
const six = record('B', { epoch: 6, phase: 'promoted' });

t.test('a decision shows before Consul has it, and followers are notified', async (t) => {
  const { pushed, decisions, seen, changes } = start();
  pushed.put(five);
  decisions.announce(six);
  t.strictSame(seen(), six);
  t.equal(changes(), 2);
  const confirmed = { ...six, phase: 'confirmed' as const };
  pushed.put(confirmed);
  t.strictSame(seen(), confirmed);
});

t.test('at the same version Consul’s record counts', async (t) => {
  const { pushed, decisions, seen } = start();
  pushed.put({ ...six, master: at('C') });
  decisions.announce(six);
  t.strictSame(seen()?.master, at('C'));
});

t.test('a later generation counts before a higher epoch', async (t) => {
  const { pushed, decisions, seen } = start();
  decisions.announce(six);
  pushed.put({ ...five, generation: 2 });
  t.equal(seen()?.generation, 2);
});

t.test('a record that Consul does not hold is not invented, and other keys are left alone', async (t) => {
  const { pushed, decisions, seen, follow } = start();
  decisions.announce(six);
  t.equal(seen(), undefined);
  pushed.put({ ...five, name: 'other' });
  t.equal(seen('other')?.epoch, 5);
  pushed.entries = [{ key: `${prefix}m`, value: 'edited by hand', modifyIndex: 1 }];
  t.strictSame(seen(), six);
  follow.release();
});

t.test('keys that are not records come from Consul alone', async (t) => {
  const { watches, decisions } = start();
  let notified = 0;
  watches.follow({ kind: 'key-tree', prefix: 'redis/master/' }, () => {
    notified += 1;
  });
  decisions.announce(six);
  t.equal(notified, 0);
});

t.test('a released follower is not notified', async (t) => {
  const { decisions, follow, changes } = start();
  follow.release();
  decisions.announce(six);
  t.equal(changes(), 0);
});

t.test(
  'however the two arrive, what shows is never older, and never disagrees with Consul at one version',
  async (t) => {
    const version = fc.record({ generation: fc.integer({ min: 1, max: 3 }), epoch: fc.integer({ min: 1, max: 6 }) });
    const master = fc.constantFrom('A', 'B', 'C');
    const step = fc.record({ by: fc.constantFrom('bridge', 'consul'), version, master });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { pushed, decisions, seen } = start();
        let held: MasterRecord = record('A', { generation: 1, epoch: 0 });
        pushed.put(held);
        let before = seen();
        for (const { by, version: next, master: letter } of steps) {
          const change = record(letter, next);
          if (by === 'bridge') decisions.announce(change);
          else if (compareVersions(change, held) > 0) {
            held = change;
            pushed.put(held);
          }
          const now = seen();
          if (now === undefined || before === undefined) throw new Error('it was there');
          if (compareVersions(now, before) < 0) throw new Error('older');
          if (compareVersions(now, held) < 0) throw new Error('older than Consul');
          if (compareVersions(now, held) === 0 && now.master.host !== held.master.host)
            throw new Error('another master');
          before = now;
        }
      }),
      { numRuns: 3_000 },
    );
    t.pass();
  },
);
