import t from 'tap';
import type { ConsulClient } from '../../lib/client/consul.ts';
import { SessionKeys } from '../../lib/consul/session-keys.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { CatalogOperation } from '../../lib/model/catalog.ts';
import { waitFor } from '../sandbox/condition.ts';

/** Consul's sessions and the keys that they hold, with a switch for an outage. */
class Sessions {
  readonly keys = new Map<string, { readonly session: string; readonly value: unknown }>();
  readonly alive = new Set<string>();
  state: 'up' | 'refusing deletions' | 'refusing renewals' | 'down' = 'up';
  /** How many keys each write had. */
  readonly writes: number[] = [];
  answering: Promise<void> = Promise.resolve();
  #count = 0;

  readonly client = {
    send: async (call: { path: string; params?: Record<string, string>; query?: object; body?: unknown }) => {
      if (this.state === 'down') throw new Error('no answer');
      const { path, params = {}, query = {}, body } = call;
      const { id = '', key = '' } = params;
      if (path === '/session/create') return this.#create();
      if (path === '/session/destroy/{id}') return this.end(id);
      const isRenewable = this.alive.has(id) && this.state !== 'refusing renewals';
      if (path === '/session/renew/{id}' && !isRenewable) throw new Error('no such session');
      if (path === '/kv/{key}') {
        this.writes.push(1);
        await this.answering;
        return this.#acquire(key, (query as { acquire: string }).acquire, body);
      }
      return true;
    },
    transact: async (steps: readonly CatalogOperation[]) => {
      this.writes.push(steps.length);
      await this.answering;
      if (['refusing deletions', 'down'].includes(this.state)) throw new Error('no answer');
      const [before, refuse] = [new Map(this.keys), new SwitchmasterError('consul-refused', 'a step failed')];
      for (const step of steps) {
        if (step.kind === 'kv-delete') this.keys.delete(step.key);
        if (step.kind !== 'kv-lock' || this.#acquire(step.key, step.session, JSON.parse(step.value))) continue;
        this.keys.clear();
        for (const [key, held] of before) this.keys.set(key, held);
        throw refuse;
      }
      return { kind: 'committed' };
    },
  } as unknown as ConsulClient;

  end(id: string): boolean {
    this.alive.delete(id);
    for (const [key, { session }] of this.keys) if (session === id) this.keys.delete(key);
    return true;
  }

  #create(): { ID: string } {
    this.#count += 1;
    const id = `00000000-0000-0000-0000-00000000000${this.#count}`;
    this.alive.add(id);
    return { ID: id };
  }

  #acquire(key: string, session: string, value: unknown): boolean {
    const holder = this.keys.get(key)?.session;
    if (!this.alive.has(session) || (holder !== undefined && holder !== session)) return false;
    this.keys.set(key, { session, value });
    return true;
  }
}

function open(consul: Sessions): SessionKeys {
  const keys = new SessionKeys({ client: consul.client, name: 'test', ttlMs: 30 });
  keys.start();
  t.teardown(() => keys.stop());
  return keys;
}

t.test('keys end with the process that set them', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('a', { n: 1 });
  await keys.set('b', { n: 2 });
  await keys.remove('b');
  await waitFor('the first key', () => [...consul.keys.keys()], { until: (all) => all.join() === 'a' });
  await keys.stop();
  t.strictSame([...consul.keys], []);
});

t.test('a key that is set and removed at once is not left behind', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('a', {});
  await waitFor('the first key', () => consul.keys.size, { until: (size) => size === 1 });
  void keys.set('b', {});
  await keys.remove('b');
  t.strictSame([...consul.keys.keys()], ['a']);
});

t.test('after a lost session, or an outage, the keys come back under another one', async () => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('a', {});
  await waitFor('the key', () => consul.keys.size, { until: (size) => size === 1 });
  const [first] = consul.alive;
  consul.end(first ?? '');
  await waitFor('the key again', () => consul.keys.get('a')?.session, {
    until: (id) => id !== undefined && id !== first,
  });
  consul.state = 'down';
  await keys.set('b', {});
  consul.state = 'up';
  await waitFor('both keys', () => [...consul.keys.keys()], { until: (all) => all.join() === 'a,b' });
});

t.test('a key that cannot be removed ends with its session', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('a', {});
  await keys.set('b', {});
  await waitFor('both keys', () => consul.keys.size, { until: (size) => size === 2 });
  consul.state = 'refusing deletions';
  await keys.remove('b');
  t.notOk(consul.keys.has('b'));
  await waitFor('the other key', () => [...consul.keys.keys()], { until: (all) => all.join() === 'a' });
});

t.test('what changes while a write is under way is written together, as it is wanted then', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('first', {});
  await waitFor('the first key', () => consul.keys.size, { until: (size) => size === 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  consul.answering = promise;
  consul.writes.length = 0;
  const names = Array.from({ length: 70 }, (_, n) => `key${n}`);
  const begun = keys.set('second', { n: 1 });
  await waitFor('the write to be under way', () => consul.writes.length === 1);
  const changes = [...names.map((name) => keys.set(name, {})), keys.remove('first'), keys.set('second', { n: 2 })];
  void keys.set('short', {});
  void keys.remove('short');
  resolve();
  await Promise.all([begun, ...changes]);
  t.strictSame([...consul.keys.keys()].toSorted(), ['second', ...names].toSorted());
  t.match(consul.keys.get('second'), { value: { n: 2 } });
  t.strictSame(consul.writes, [1, 64, 8], 'the one that was set and removed meanwhile is not written');
});

t.test('a key that another session holds is taken from it, and keeps none of the others', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await keys.set('first', {});
  await waitFor('the first key', () => consul.keys.size, { until: (size) => size === 1 });
  consul.keys.set('b', { session: 'former', value: {} });
  await Promise.all(['a', 'b', 'c'].map((key) => keys.set(key, {})));
  const sessions = ['a', 'b', 'c'].map((key) => consul.keys.get(key)?.session);
  t.equal(new Set(sessions).size, 1);
  t.not(sessions[0], undefined);
  t.not(sessions[0], 'former');
});

t.test('a key that is removed does not stay with a session that could not be renewed', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await Promise.all(['a', 'b'].map((key) => keys.set(key, {})));
  await waitFor('both keys', () => consul.keys.size, { until: (size) => size === 2 });
  const { promise, resolve } = Promise.withResolvers<void>();
  consul.answering = promise;
  consul.writes.length = 0;
  const writing = keys.set('c', {});
  await waitFor('the write to be under way', () => consul.writes.length === 1);
  const removal = keys.remove('a');
  consul.state = 'refusing renewals';
  await waitFor('another session', () => consul.alive.size > 1);
  consul.state = 'up';
  resolve();
  await Promise.all([writing, removal]);
  t.notOk(consul.keys.has('a'));
});

t.test('a key that is removed in an outage, and whose session lives on, is deleted after it', async (t) => {
  const consul = new Sessions();
  const keys = open(consul);
  await Promise.all(['a', 'b'].map((key) => keys.set(key, {})));
  await waitFor('both keys', () => consul.keys.size, { until: (size) => size === 2 });
  consul.state = 'down';
  await keys.set('b', { n: 2 });
  await keys.remove('a');
  t.ok(consul.keys.has('a'));
  consul.state = 'up';
  await waitFor('the other key again', () => consul.keys.get('b')?.value, {
    until: (value) => value !== undefined && 'n' in (value as object),
  });
  await waitFor('the removal', () => [...consul.keys.keys()], { until: (all) => all.join() === 'b' });
});
