import t from 'tap';
import { readBody, readMetadata } from '../../lib/client/consul-answers.ts';
import type { KnownText } from '../../lib/client/consul-options.ts';

/* Headers as Consul 1.8.7 and 1.14.11 sent them. */

t.test('a server without a leader reports it', async (t) => {
  const headers = { 'x-consul-index': '12', 'x-consul-knownleader': 'false', 'x-consul-lastcontact': '4100' };
  t.match(readMetadata('service', headers), { index: 12n, knownLeader: false, lastContactMs: 4_100, streamed: false });
  const since113 = { ...headers, 'x-consul-query-backend': 'blocking-query' };
  t.match(readMetadata('service', since113), { knownLeader: false, streamed: false });
});

t.test('the header about the leader has no meaning in a streamed answer', async (t) => {
  const headers = { 'x-consul-index': '21', 'x-consul-knownleader': 'false', 'x-consul-lastcontact': '0' };
  t.match(readMetadata('service', { ...headers, 'x-consul-query-backend': 'streaming' }), {
    index: 21n,
    knownLeader: true,
    streamed: true,
  });
  t.match(
    readMetadata('service', headers),
    { knownLeader: true, streamed: true },
    'Consul 1.10 and 1.11 do not name the backend',
  );
  const led = { ...headers, 'x-consul-knownleader': 'true' };
  t.match(readMetadata('key', headers), { knownLeader: false, streamed: false }, 'only services are streamed');
  t.match(readMetadata('service', led), { knownLeader: true, streamed: false });
});

t.test('an index below 1 or a malformed one counts as none', async (t) => {
  for (const index of ['0', '-1', 'x', undefined])
    t.equal(readMetadata('service', { 'x-consul-index': index }).index, 0n);
});

const folder = { kind: 'key-tree', prefix: 'a/' } as const;
const textOf = (entries: unknown) => Buffer.from(JSON.stringify(entries));
const entryOf = (key: string, bytes: Buffer | null, index: number) => ({
  Key: key,
  Value: bytes?.toString('base64') ?? null,
  ModifyIndex: index,
});

t.test('a folder whose text is known is not read again, and any other text is', async (t) => {
  const text = textOf([entryOf('a/1', Buffer.from('ü'), 4), entryOf('a/2', null, 5)]);
  const first = readBody(folder, text, { what: 'a', known: undefined });
  t.same(first.value, [
    { key: 'a/1', value: 'ü', modifyIndex: 4 },
    { key: 'a/2', value: '', modifyIndex: 5 },
  ]);
  const known = { digest: first.digest ?? '', value: first.value };
  const again = readBody(folder, Buffer.from(text), { what: 'a', known });
  t.equal(again.value, first.value, 'the same object');
  t.equal(again.digest, first.digest);
  const other = readBody(folder, textOf([entryOf('a/1', Buffer.from('ü'), 6)]), { what: 'a', known });
  t.same(other.value, [{ key: 'a/1', value: 'ü', modifyIndex: 6 }]);
  t.not(other.digest, first.digest);
});

t.test('a folder of bytes, an empty one, one without an answer, and one that is none', async (t) => {
  const read = (body: unknown) => readBody(folder, body, { what: 'a', known: undefined }).value;
  const bytes = Buffer.from([0xff, 0x00]);
  t.match(read(textOf([entryOf('a/b', bytes, 1)])), [{ key: 'a/b', base64: bytes.toString('base64') }]);
  t.same(read(textOf([])), []);
  t.same(read(textOf(null)), []);
  t.same(read(undefined), []);
  t.throws(() => read(Buffer.from('<html>')), { code: 'consul-answer-invalid' });
  t.throws(() => read(textOf({ Key: 'a' })), { code: 'consul-answer-invalid' });
});

t.test('a list of services with the text of the one before has the same object', (t) => {
  const read = (services: object, known?: KnownText) =>
    readBody({ kind: 'services' }, Buffer.from(JSON.stringify(services)), { what: 'services', known });
  const first = read({ web: ['b', 'a'], api: [] });
  t.strictSame(
    [...(first.value as ReadonlyMap<string, readonly string[]>)],
    [
      ['api', []],
      ['web', ['a', 'b']],
    ],
  );
  const known = { digest: first.digest ?? '', value: first.value };
  t.equal(read({ web: ['b', 'a'], api: [] }, known).value, first.value);
  t.not(read({ web: ['b', 'a'], api: ['new'] }, known).value, first.value);
  t.throws(() => read({ web: 1 }, known), { code: 'consul-answer-invalid' });
  t.throws(() => readBody({ kind: 'services' }, Buffer.from('{'), { what: 'services', known }), {
    code: 'consul-answer-invalid',
  });
  t.end();
});
