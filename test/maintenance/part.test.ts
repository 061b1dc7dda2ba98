import t, { type Test } from 'tap';
import type { WatchState } from '../../lib/consul/watch-state.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { MaintenanceMemory } from '../../lib/maintenance/memory.ts';
import { MaintenancePart, type MaintenancePartOptions } from '../../lib/maintenance/part.ts';
import type { KvEntry } from '../../lib/model/catalog.ts';
import { formatNote } from '../../lib/model/maintenance.ts';
import { waitFor } from '../sandbox/condition.ts';

type State = WatchState<readonly KvEntry[]>;

const note = (fromMs: number, lengthMs?: number): string => {
  const [at, until] = [fromMs, fromMs + (lengthMs ?? 0)].map((ms) => new Date(Date.now() + ms).toISOString());
  return formatNote({
    by: 'ops',
    at: at ?? null,
    until: lengthMs === undefined ? null : (until ?? null),
    reason: null,
  });
};
const current = (notes: Readonly<Record<string, string>>): State => ({
  kind: 'current',
  index: 1n,
  resets: 0,
  value: Object.entries(notes).map(([name, value]) => ({ key: `redis/maintenance/${name}`, value, modifyIndex: 1 })),
});
const denied: State = { kind: 'failed', error: new SwitchmasterError('consul-denied', 'ACL not found') };

/** Maintenance by a scripted watch. */
function start(t: Test, given: Partial<MaintenancePartOptions> = {}, first: State = { kind: 'pending' }) {
  let state = first;
  let changed = () => {};
  const begun: (readonly string[])[] = [];
  const ended: (readonly string[])[] = [];
  const options = {
    naming: { environment: undefined },
    memory: new MaintenanceMemory(),
    client: { send: async () => [{ Allow: true }], transact: async () => ({ kind: 'committed' }) },
    watches: {
      follow: (_query: unknown, onChange: () => void) => {
        changed = onChange;
        return {
          get state() {
            return state;
          },
          release: () => {},
        };
      },
    },
    onReport: () => {},
    ...given,
  };
  const maintenance = new MaintenancePart(options as unknown as MaintenancePartOptions);
  maintenance.follow({
    names: () => ['a', 'b', 'c'],
    onBegin: (names) => begun.push(names),
    onEnd: (names) => ended.push(names),
  });
  maintenance.start();
  t.teardown(() => maintenance.stop());
  const show = (next: State) => {
    state = next;
    changed();
  };
  return { maintenance, begun, ended, show };
}

t.test('the first reading ends the wait of each master, whether others are in maintenance or not', async (t) => {
  for (const [notes, expected] of [
    [{ a: note(0) }, ['b', 'c']],
    [{}, ['a', 'b', 'c']],
    [{ a: note(0), b: note(0), c: note(0) }, []],
  ] as const) {
    const { maintenance, begun, ended, show } = start(t);
    for (const name of ['a', 'b', 'c']) t.match(maintenance.verdict(name), { kind: 'unread' });
    show(current(notes));
    t.strictSame(ended.flat(), expected);
    t.strictSame(begun.flat(), Object.keys(notes));
    show(current({ ...notes, d: note(0) }));
    t.strictSame(ended.flat(), expected, 'once');
  }
});

t.test('a token that Consul refuses ends no maintenance that is known, as after a reload', async (t) => {
  const memory = new MaintenanceMemory();
  const before = start(t, { memory }, current({ a: note(0) }));
  before.maintenance.stop();
  const { maintenance, ended, show } = start(t, { memory });
  show(denied);
  t.match(maintenance.verdict('a'), { kind: 'on' });
  t.match(maintenance.verdict('b'), { kind: 'off' });
  t.strictSame(ended, []);
  show(current({}));
  t.match(maintenance.verdict('a'), { kind: 'off' });
  t.strictSame(ended, [['a']]);
});

t.test('without any earlier reading, a token that Consul refuses sees no maintenance', async (t) => {
  const { maintenance, ended, show } = start(t);
  t.match(maintenance.verdict('a'), { kind: 'unread' });
  show(denied);
  t.match(maintenance.verdict('a'), { kind: 'off' });
  t.strictSame(ended, [['a']]);
});

t.test('a key that cannot be deleted does not delay the next end', async (t) => {
  const notes = { a: note(-60_000, 1_000), b: note(0, 300) };
  const memory = new MaintenanceMemory();
  const past = { nowMs: performance.now() - 10_000, wallMs: Date.now() - 10_000 };
  memory.observe('redis/maintenance', new Map([['a', notes.a]]), past);
  let tries = 0;
  const transact = async () => {
    tries += 1;
    throw new SwitchmasterError('consul-unreachable', 'refused');
  };
  const client = { send: async () => [{ Allow: true }], transact } as unknown as MaintenancePartOptions['client'];
  const { maintenance, ended } = start(t, { memory, client }, current(notes));
  t.match(maintenance.verdict('b'), { kind: 'on' });
  await waitFor('a try', () => tries > 0);
  await waitFor('the end', () => ended.flat().includes('b'), { timeoutMs: 5_000 });
  t.match(maintenance.verdict('b'), { kind: 'off' });
});

t.test('a failover that an operator ordered permits what it needs, and no provisioning', async (t) => {
  const { maintenance } = start(t, {}, current({ a: note(0) }));
  await maintenance.except('a', async () => {
    t.equal(maintenance.whyNot('a'), undefined);
    t.match(maintenance.whyNotProvision('a'), /maintenance/);
    t.equal(maintenance.whyNotProvision('b'), undefined);
  });
  t.equal(maintenance.whyNot('a'), maintenance.whyNotProvision('a'));
});

t.test('no failover is ordered after a crash while the token may not read whether there is maintenance', async (t) => {
  const { maintenance, show } = start(t, {}, current({}));
  const crashOf = (name: string) => maintenance.whyNotOnCrash({ kind: 'master', name });
  await waitFor('the answer whether the token may read it', () => crashOf('a') === undefined);
  const { index, resets, value } = current({}) as Extract<State, { kind: 'current' }>;
  const stale = (error: SwitchmasterError): State => ({ kind: 'stale', index, resets, value, error });
  for (const [state, wanted] of [
    [denied, /token may not read/],
    [current({}), undefined],
    [stale(new SwitchmasterError('consul-denied', 'Permission denied')), /token may not read/],
    [stale(new SwitchmasterError('consul-unreachable', 'refused')), /token may not read/],
    [current({ b: note(0) }), undefined],
    [stale(new SwitchmasterError('consul-unreachable', 'refused')), undefined],
  ] as const) {
    show(state);
    if (wanted === undefined) t.equal(crashOf('a'), undefined);
    else t.match(crashOf('a'), wanted);
  }
});

t.test('a question to Consul about that right is no answer, and leaves the last one', async (t) => {
  const noAnswer = async () => {
    throw new SwitchmasterError('consul-unreachable', 'no answer in 2000 ms');
  };
  const world = { asked: 0, answer: noAnswer as () => Promise<unknown> };
  const send = async () => {
    world.asked += 1;
    return world.answer();
  };
  const client = { send, transact: async () => ({ kind: 'committed' }) } as unknown as MaintenancePartOptions['client'];
  const { maintenance, show } = start(t, { client, askAgainMs: 1 });
  const crash = () => maintenance.whyNotOnCrash({ kind: 'master', name: 'a' });
  /** Until an answer counts whose question was asked after this moment. */
  const settle = () => {
    const { asked } = world;
    const ask = () => {
      show(current({}));
      return world.asked;
    };
    return waitFor('two questions', ask, { until: (count) => count > asked + 1 });
  };
  const notUnderstood = async () => ({ error: 'a proxy' });
  const [allowed, denied] = [true, false].map((Allow) => async () => [{ Allow }]);
  for (const [answer, wanted] of [
    [noAnswer, /Consul has not answered yet whether the token may read/],
    [notUnderstood, /Consul has not answered yet whether the token may read/],
    [denied, /the token may not read/],
    [noAnswer, /the token may not read/],
    [notUnderstood, /the token may not read/],
    [allowed, undefined],
    [noAnswer, undefined],
    [notUnderstood, undefined],
  ] as const) {
    if (answer !== undefined) world.answer = answer;
    await settle();
    if (wanted === undefined) t.equal(crash(), undefined);
    else t.match(crash(), wanted);
  }
});

t.test('where Consul has no ACLs, every token may read it', async (t) => {
  const send = async () => {
    throw new SwitchmasterError('consul-denied', 'ACL support disabled', { details: { status: 401 } });
  };
  const client = { send, transact: async () => ({ kind: 'committed' }) } as unknown as MaintenancePartOptions['client'];
  const { maintenance } = start(t, { client }, current({}));
  const crash = () => maintenance.whyNotOnCrash({ kind: 'master', name: 'a' });
  await waitFor('the answer', () => crash() === undefined, { timeoutMs: 5_000 });
});

t.test('a failover that an operator ordered of a master does not concern a cluster of the same name', async (t) => {
  const { maintenance } = start(t, {}, current({ a: note(0) }));
  await maintenance.except('a', async () => {
    t.equal(maintenance.whyNotOnCrash({ kind: 'master', name: 'a' }), undefined);
    t.match(maintenance.whyNotOnCrash({ kind: 'cluster', name: 'a' }), /maintenance/);
  });
});
