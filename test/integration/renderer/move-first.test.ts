import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { withinDeadline } from '../../../lib/file-system.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { follows, longS, setUp } from '../support/moving.ts';
import { makeFolder } from '../support/rendering.ts';

/*
 * At a change of master HAProxy's socket comes first: before the lookup of the file's owner, the writing and the flushing.
 * A `getent` in front of the system's own makes the lookup slow.
 */
const sandbox = await Sandbox.openFor(t, { name: 'move-first' });
const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });

/** The group of the file is looked up by a `getent` that is slow on demand. */
function slowLookup(t: Test) {
  const folder = join(makeFolder(t), 'bin');
  const slow = join(folder, 'slow');
  const before = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = before;
  });
  process.env.PATH = `${folder}${delimiter}${before}`;
  const script = `#!/bin/sh\ntest -e ${slow} && sleep ${longS}\necho "someone:x:$(id -g):"\n`;
  mkdirSync(folder);
  writeFileSync(join(folder, 'getent'), script);
  chmodSync(join(folder, 'getent'), 0o755);
  return { begin: () => writeFileSync(slow, ''), end: () => rmSync(slow) };
}

t.test('the socket does not wait for the lookup of the owner', async (t) => {
  const lookup = slowLookup(t);
  const scene = await setUp(t, { sandbox, consul, name: 'lookup' }, () => ({ group: 'someone' }));
  lookup.begin();
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  t.match(scene.text(), /:1\n.*:1\n/s, 'the file is still the old one');
  await follows(t, scene, { shard: 'b', port: 3, read: () => scene.port('b') });
  lookup.end();
  await scene.move('a', 4);
  await waitFor('the file', scene.text, { until: (text) => /:4\n.*:3\n/s.test(text) });
  t.equal(await scene.port('a'), 4);
});

t.test('HAProxy moves although the file cannot be read', async (t) => {
  const scene = await setUp(t, { sandbox, consul, name: 'unreadable' }, () => ({}));
  const aside = join(makeFolder(t), 'aside');
  copyFileSync(scene.destination, aside);
  rmSync(scene.destination);
  mkdirSync(scene.destination);
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  t.match((await scene.rendering.until('failed')).lastOutcome, { error: { code: 'file-unwritable' } });
  for (const port of [1, 2]) await follows(t, scene, { shard: 'a', port, read: () => scene.port('a') });
  rmSync(scene.destination, { recursive: true });
  copyFileSync(aside, scene.destination);
  await scene.untilInUse('0');
  t.equal(await scene.port('a'), 2);
  await waitFor('the file', scene.text, { until: (text) => /:2\n.*:1\n/s.test(text) });
});

t.test('HAProxy moves while the calls of other templates keep the file system busy', async (t) => {
  const scene = await setUp(t, { sandbox, consul, name: 'busy' }, () => ({}));
  const { promise, resolve } = Promise.withResolvers<void>();
  t.teardown(() => resolve());
  const calls = [1, 2].map(() => withinDeadline(scene.destination, () => promise, { timeoutMs: 60_000 }));
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  t.match(scene.text(), /:1\n.*:1\n/s, 'the file is still the old one');
  resolve();
  await Promise.all(calls);
  await waitFor('the file', scene.text, { until: (text) => /:2\n.*:1\n/s.test(text) });
  t.equal(await scene.port('a'), 2);
});

t.test('HAProxy moves although the file cannot be written', async (t) => {
  const scene = await setUp(t, { sandbox, consul, name: 'unwritable' }, () => ({}));
  // No file system creates a candidate beside a name that almost has the maximum length, not even for root.
  const long = join(makeFolder(t), 'x'.repeat(250));
  copyFileSync(scene.destination, long);
  rmSync(scene.destination);
  symlinkSync(long, scene.destination);
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  const { lastOutcome } = await scene.rendering.until('failed');
  t.match(lastOutcome, { error: { code: 'file-unwritable' } });
  await follows(t, scene, { shard: 'b', port: 3, read: () => scene.port('b') });
  t.match(scene.text(), /:1\n.*:1\n/s, 'the file is still the old one');
  t.equal(await scene.port('a'), 2, 'the first one stays at its new address');
  rmSync(scene.destination);
  copyFileSync(long, scene.destination);
  await scene.untilInUse('0');
  t.equal(await scene.port('a'), 2);
  t.equal(await scene.port('b'), 3);
});

/** A socket that passes everything on to HAProxy's, and what was sent over it. */
async function recordCommands(t: Test, socket: () => string) {
  const lines: string[] = [];
  const path = join(makeFolder(t), 'recorded.sock');
  const server = createServer((client) => {
    const haproxy = connect(socket());
    client.on('data', (data) => lines.push(String(data)));
    client.pipe(haproxy).pipe(client);
    for (const [one, other] of [[client, haproxy] as const, [haproxy, client] as const])
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return { path, lines };
}

t.test('runs that fail after the move close no more sessions of the new master', async (t) => {
  let socket = '';
  const recorded = await recordCommands(t, () => socket);
  const scene = await setUp(t, { sandbox, consul, name: 'repeated' }, (paths) => {
    socket = paths.socket;
    return { reload: { kind: 'haproxy', socket: recorded.path, fallback: { argv: paths.fallback } } };
  });
  const long = join(makeFolder(t), 'x'.repeat(250));
  copyFileSync(scene.destination, long);
  rmSync(scene.destination);
  symlinkSync(long, scene.destination);
  recorded.lines.length = 0;
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  const failures = () => scene.rendering.reports.filter(({ outcome }) => outcome.kind === 'failed').length;
  await waitFor('two further attempts', () => failures() > 2);
  const closing = recorded.lines.filter((line) => line.includes('shutdown sessions'));
  t.strictSame(
    closing.map((line) => line.trim()),
    [
      'set server repeated-a/master addr 127.0.0.1 port 2;set server repeated-a/master health up;shutdown sessions server repeated-a/master',
    ],
  );
  t.match(recorded.lines[0], /^set server/, 'nothing is asked before the first move');
});
