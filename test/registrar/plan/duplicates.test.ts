import t from 'tap';
import type { Endpoint } from '../../../lib/model/address.ts';
import type { InstanceSpec } from '../../../lib/model/instance.ts';
import { findOriginal, findUncompared, precedingInstances } from '../../../lib/registrar/plan/duplicates.ts';
import { makeInstance } from '../../integration/support/registering.ts';

const at = (host: string): Endpoint => ({ host, port: 6379 });

function redis(address: Endpoint, more: Partial<InstanceSpec> = {}): InstanceSpec {
  return makeInstance({ kind: 'redis', address, more }).spec;
}

function precedes(a: InstanceSpec, b: InstanceSpec): boolean {
  return precedingInstances(b, [a, b]).includes(a);
}

t.test('what the config lists first is registered, then what it lists, then what a record lists', async (t) => {
  const found = { origin: 'discovered', name: 'shard1' } as const;
  const socket = redis('/run/redis.sock', { name: 'mine' });
  const all = [redis(at('b'), found), redis(at('a'), found), socket, redis(at('c'))];
  const preceding = (spec: InstanceSpec) => precedingInstances(spec, all).map(({ id }) => id);
  t.strictSame(preceding(all[0] ?? socket), [socket.id, 'redis-c:6379', 'redis-a:6379']);
  t.strictSame(preceding(socket), []);
  t.notOk(precedes(makeInstance({ kind: 'sentinel', address: at('a') }).spec, redis(at('b'))), 'another kind');
  const [one, other] = ['a', 'b'].map((host) => makeInstance({ kind: 'haproxy', address: at(host) }).spec);
  t.notOk(one && other && precedes(one, other), 'proxies have no run id');
});

t.test('entries that the config distinguishes are both registered', async (t) => {
  const plain = redis(at('a'), { name: 'shard1', tags: ['plain'] });
  const table: readonly (readonly [string, Partial<InstanceSpec>, boolean])[] = [
    ['the same', { name: 'shard1', tags: ['plain'] }, true],
    ['no name', { tags: ['plain'] }, true],
    ['another name', { name: 'other', tags: ['plain'] }, false],
    ['other tags', { name: 'shard1', tags: ['tls'] }, false],
    ['another public address', { tags: ['plain'], announce: { host: 'a', port: 16_379 } }, false],
    ['the public address of the other', { tags: ['plain'], announce: { host: 'A.', port: 6379 } }, true],
  ];
  for (const [what, more, wanted] of table) t.equal(precedes(plain, redis('/run/a.sock', more)), wanted, what);
});

t.test('the run id proves a process, and a restart of it does not end the proof', async (t) => {
  const process = (runId: string, sinceMs: number, askedMs = sinceMs) => ({ runId, sinceMs, askedMs });
  const find = (own: ReturnType<typeof process> | undefined, other: typeof own, before?: string) =>
    findOriginal(own, { preceding: [{ id: 'first', process: other }], before });
  t.equal(find(process('one', 1), process('one', 2)), 'first');
  t.equal(find(process('one', 1, 3), process('two', 2)), undefined);
  t.equal(find(undefined, process('one', 2)), undefined, 'nobody has answered yet');
  t.equal(find(process('one', 1), undefined), undefined, 'the other has not answered yet');
  t.equal(find(process('two', 5), process('one', 1, 4), 'first'), 'first', 'the other was not asked since the restart');
  t.equal(find(process('two', 5, 7), process('one', 1, 6), 'first'), undefined, 'the other was asked again');
  t.equal(
    find(process('one', 1, 4), process('two', 5, 6), 'first'),
    'first',
    'the other restarted, this one is not asked yet',
  );
  t.equal(find(process('one', 1, 7), process('two', 5, 6), 'first'), undefined, 'this one was asked again');
  t.equal(find(undefined, undefined, 'gone'), undefined, 'the config dropped the other');
});

t.test('an address is compared with an answer that is younger than the first one of its process', async (t) => {
  const process = (runId: string, sinceMs: number, askedMs = sinceMs) => ({ runId, sinceMs, askedMs });
  const uncompared = (own: ReturnType<typeof process> | undefined, other: typeof own) =>
    findUncompared(own, [{ id: 'first', process: other }]).length > 0;
  t.ok(uncompared(process('two', 5), process('one', 1, 4)), 'the other was not asked since the restart');
  t.ok(uncompared(process('one', 1, 4), process('two', 5)), 'this one was not asked since the restart');
  t.notOk(uncompared(process('two', 5, 7), process('one', 1, 6)), 'the other is another process');
  t.notOk(uncompared(process('two', 5), process('two', 4)), 'the other is the same process');
  t.notOk(uncompared(process('two', 5), undefined), 'the other has never answered');
  t.notOk(uncompared(undefined, process('one', 1)), 'nobody has answered yet');
});
