import t from 'tap';
import { Steering } from '../../../lib/bridge/steering.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { Lease } from '../../../lib/consul/lock.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'steering' });
const consul = await sandbox.consul();
const naming = { environment: undefined };
const signal = new AbortController().signal;

/** A bridge, and the requests that it has sent. */
function bridge(bridgeId: string) {
  const client = new ConsulClient({ ...consul.http });
  t.teardown(() => client.close());
  const sent: string[] = [];
  /** How a transaction reaches Consul. */
  const network = { transact: client.transact.bind(client) };
  const counted = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const [call] = args as [{ path?: string } | undefined];
        sent.push(name === 'send' ? (call?.path ?? '') : String(name));
        if (name === 'transact') return network.transact(...(args as Parameters<ConsulClient['transact']>));
        return value.apply(target, args);
      };
    },
  });
  return { steering: new Steering({ client: counted, naming, bridgeId }), sent, network };
}

type Inside = Extract<Lease, { kind: 'inside' }>;

const sessions = async () => (await consul.get<{ ID: string; Name: string }[]>('/v1/session/list')) ?? [];
const keys = async () => (await consul.get<string[]>('/v1/kv/redis/steering/?keys')) ?? [];
const heldKeys = async () => (await keys()).filter((key) => !key.endsWith('/.holders'));

t.test('the leases of many masters share a session, and leave no key of theirs', async (t) => {
  const { steering, sent } = bridge('first');
  const names = Array.from({ length: 10 }, (_, n) => `shard${n}`);
  const taken = (await Promise.all(names.map((name) => steering.enter(name, signal)))) as Inside[];
  t.strictSame([...new Set(taken.map(({ kind }) => kind))], ['inside']);
  t.equal((await heldKeys()).length, names.length);
  t.equal((await sessions()).length, 1);
  await Promise.all(taken.map(({ leave }) => leave()));
  t.strictSame(await heldKeys(), []);
  const counts = ['read', '/session/create', 'transact'].map((what) => sent.filter((one) => one === what).length);
  t.strictSame(counts, [10, 1, 20], 'a lease is read and taken, and given back without another question');
  t.equal(sent.length, 31);
});

t.test('one bridge at a time holds the lease of a master, whose index another one may have changed', async (t) => {
  const [first, second] = [bridge('first').steering, bridge('second').steering];
  const lease = (await first.enter('shard1', signal)) as Inside;
  t.equal(lease.kind, 'inside');
  t.match(await second.enter('shard1', signal), { kind: 'full', holders: 1 });
  t.match(await first.enter('shard1', signal), { kind: 'full', holders: 1 }, 'also of its own');
  t.equal(await second.holders('shard1', signal), 1, 'that attempt has changed nothing');
  await consul.putKey('redis/steering/shard1/.holders', (await consul.key('redis/steering/shard1/.holders')) ?? '');
  await lease.leave();
  t.equal(await second.holders('shard1', signal), 0);
  const next = (await second.enter('shard1', signal)) as Inside;
  t.equal(next.kind, 'inside');
  await next.leave();
});

t.test('an attempt that is stopped keeps nobody from the lease', async (t) => {
  const { steering } = bridge('first');
  const stop = new AbortController();
  const entering = steering.enter('shard2', stop.signal);
  stop.abort(new Error('stopped'));
  await t.rejects(entering);
  const lease = (await steering.enter('shard2', signal)) as Inside;
  t.equal(lease.kind, 'inside');
  await lease.leave();
});

t.test('where the shared session has ended, the next lease gets another one', async (t) => {
  const { steering } = bridge('third');
  const lease = (await steering.enter('shard3', signal)) as Inside;
  const [own] = (await sessions()).filter(({ Name }) => Name === 'redis/steering (third)');
  await consul.put(`/v1/session/destroy/${own?.ID}`);
  await waitFor('the key to be gone', heldKeys, { until: ({ length }) => length === 0 });
  const other = (await steering.enter('shard4', signal)) as Inside;
  t.equal(other.kind, 'inside');
  t.strictSame(
    (await heldKeys()).map((key) => key.split('/')[2]),
    ['shard4'],
  );
  await Promise.all([lease.leave(), other.leave()]);
  t.strictSame(await heldKeys(), []);
});

t.test(
  'a request for a lease that was given up takes none later, while the session lives for another lease',
  async (t) => {
    const { steering, network } = bridge('first');
    const other = (await steering.enter('shard5', signal)) as Inside;
    const transact = network.transact;
    let arrive: () => Promise<unknown> = async () => undefined;
    const stop = new AbortController();
    const given = Promise.withResolvers<void>();
    network.transact = (steps, limits) => {
      network.transact = transact;
      arrive = () => transact(steps);
      given.resolve();
      return new Promise((_, reject) => limits?.signal?.addEventListener('abort', () => reject(stop.signal.reason)));
    };
    const entering = steering.enter('shard6', stop.signal);
    await given.promise;
    stop.abort(new Error('stopped'));
    await t.rejects(entering);
    await arrive();
    const next = (await bridge('second').steering.enter('shard6', signal)) as Inside;
    t.equal(next.kind, 'inside');
    await Promise.all([next.leave(), other.leave()]);
    t.strictSame(await heldKeys(), []);
  },
);

t.test(
  'a session that no lease needs any more ends with its bridge, and another one with its last lease',
  async (t) => {
    const { steering } = bridge('fourth');
    const own = async () => (await sessions()).filter(({ Name }) => Name === 'redis/steering (fourth)').length;
    const lease = (await steering.enter('shard7', signal)) as Inside;
    await lease.leave();
    t.equal(await own(), 1, 'it is kept for the next crash');
    await steering.stop();
    t.equal(await own(), 0);
    const last = (await steering.enter('shard7', signal)) as Inside;
    await steering.stop();
    t.equal(await own(), 1);
    await last.leave();
    t.equal(await own(), 0);
  },
);
