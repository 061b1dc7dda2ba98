import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, sh, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'render' });
const consul = await sandbox.consul();
await putRecord(consul, { name: 'shard1' });

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

t.test('a file follows what its template reads, and nothing is written when nothing changed', async (t) => {
  await consul.putKey('one/a', '1');
  const rendering = startRendering(t, { consul, specs: [{ template: 'a {{key "one/a"}}\n' }] });
  const { destination } = await rendering.until('current');
  t.equal(read(destination), 'a 1\n');
  await consul.putKey('one/a', '2');
  await waitFor('the file to follow', () => read(destination), { until: (text) => text === 'a 2\n' });
  await waitFor('its report', () => rendering.reports.filter(({ outcome }) => outcome.kind === 'applied').length === 2);
  const { ino, mtimeMs } = statSync(destination);
  const runs = rendering.reports.length;
  rendering.part.wake('all', { source: 'test', event: 'again' });
  await waitFor('another run', () => rendering.reports.length > runs);
  t.equal(rendering.reports.at(-1)?.outcome.kind, 'unchanged');
  t.same([statSync(destination).ino, statSync(destination).mtimeMs], [ino, mtimeMs]);
  t.same(readdirSync(rendering.folder).sort(), ['.a.conf.switchmaster.json', 'a.conf', 'a.conf.hbs']);
});

t.test('a hand-edited or deleted file is put back', async (t) => {
  const rendering = startRendering(t, { consul, specs: [{ template: 'a {{key "one/a"}}\n' }], resyncMs: 50 });
  const { destination } = await rendering.until('current');
  const expected = read(destination);
  writeFileSync(destination, 'edited');
  await waitFor('the edit to go', () => read(destination), { until: (text) => text === expected });
  execFileSync('rm', [destination]);
  await waitFor('the file to come back', () => read(destination), { until: (text) => text === expected });
});

t.test('what is no longer read is no longer watched', async (t) => {
  await consul.putKey('two/switch', 'on');
  await consul.putKey('two/other', 'x');
  const template = '{{#if (eq (key "two/switch") "on")}}{{key "two/other"}}{{/if}}\n';
  const rendering = startRendering(t, { consul, specs: [{ template }] });
  const { dependencies, destination } = await rendering.until('current');
  t.same(dependencies, ['key(two/other)', 'key(two/switch)']);
  await consul.putKey('two/switch', 'off');
  await waitFor('the file to follow', () => read(destination), { until: (text) => text === '\n' });
  await waitFor('the other key to be forgotten', () => rendering.state().dependencies.join() === 'key(two/switch)');
  await waitFor('its watch to end', () => rendering.watches.size === 1);
});

t.test('templates share one blocking query for one thing', async (t) => {
  const specs = ['a.conf', 'b.conf', 'c.conf'].map((name) => ({ name, template: '{{key "one/a"}}\n' }));
  const rendering = startRendering(t, { consul, specs });
  for (const { name } of specs) await rendering.until('current', name);
  t.equal(rendering.watches.size, 1);
});

t.test('a template that names an unknown helper says where, writes nothing, and is not tried again', async (t) => {
  const rendering = startRendering(t, { consul, specs: [{ template: 'a\n  {{secret "x"}}\n' }] });
  const { destination, lastOutcome } = await rendering.until('invalid');
  t.match(lastOutcome, {
    kind: 'failed',
    error: { code: 'template-invalid', message: /^a\.conf\.hbs:2:3: unknown helper "secret": .*Vault/ },
  });
  t.equal(rendering.reports[0]?.nextMs, undefined);
  t.notOk(existsSync(destination));
});

t.test('a template that does not compile is reported with its place', async (t) => {
  const rendering = startRendering(t, { consul, specs: [{ template: 'a\n{{#if vars.x}}\n' }] });
  const { lastOutcome } = await rendering.until('invalid');
  t.match(lastOutcome, { error: { code: 'template-invalid', message: /^a\.conf\.hbs:\d+:\d+: / } });
});

t.test('one failing template does not keep others', async (t) => {
  const specs = [
    { name: 'bad', template: '{{key "no/such/key"}}' },
    { name: 'good', template: '{{key "one/a"}}' },
  ];
  const rendering = startRendering(t, { consul, specs });
  await rendering.until('current', 'good');
  const { lastOutcome } = await rendering.until('invalid', 'bad');
  t.match(lastOutcome, { error: { code: 'template-failed', message: /there is no key "no\/such\/key"/ } });
  await consul.putKey('no/such/key', 'now');
  await rendering.until('current', 'bad');
  await consul.delete('/v1/kv/no/such/key');
});

t.test('a check that refuses keeps the old file to the byte, and says what the check said', async (t) => {
  await consul.putKey('three', 'good');
  const check = { argv: sh('grep -q good "$1" || { echo "line 1: not good"; exit 1; }').concat('sh', '{{file}}') };
  const rendering = startRendering(t, { consul, specs: [{ template: 'is {{key "three"}}\n', check }] });
  const { destination } = await rendering.until('current');
  await consul.putKey('three', 'bad');
  const { lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, {
    error: { code: 'check-failed', message: /refuses the new .*exited with 1\. It wrote: line 1: not good/ },
  });
  t.equal(read(destination), 'is good\n');
  t.same(readdirSync(rendering.folder).sort(), ['.a.conf.switchmaster.json', 'a.conf', 'a.conf.hbs']);
  await consul.putKey('three', 'good2');
  await waitFor('the file to follow', () => read(destination), { until: (text) => text === 'is good2\n' });
});

t.test('a reload that fails is run again although the file already matches', async (t) => {
  const marks = makeFolder(t);
  const script = `echo x >> ${marks}/runs; test -e ${marks}/works`;
  const rendering = startRendering(t, {
    consul,
    specs: [{ template: '{{key "one/a"}}\n', reload: command(...sh(script)) }],
  });
  const { destination, lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, {
    error: { code: 'reload-failed', message: /is in place, but its reload failed\. .*exited with 1/ },
  });
  const { ino } = statSync(destination);
  writeFileSync(join(marks, 'works'), '');
  await rendering.until('current');
  t.equal(statSync(destination).ino, ino);
  t.match(
    rendering.reports.filter(({ outcome }) => outcome.kind === 'applied'),
    [{ outcome: { summary: /was up to date and its consumer reloaded/ } }],
  );
});

t.test('a reload that hangs is killed and tried again', async (t) => {
  const reload = { kind: 'command', command: { argv: ['sleep', '300'], timeoutMs: 100 } } as const;
  const rendering = startRendering(t, { consul, specs: [{ template: '{{key "one/a"}}\n', reload }] });
  await rendering.until('failed');
  t.match(rendering.state().lastOutcome, { error: { code: 'reload-failed', message: /did not end within \d+ ms/ } });
  await waitFor('a second attempt', () => rendering.reports.length >= 2);
});

t.test('a read-only destination is reported, nothing is lost, and it is written when it can be', async (t) => {
  const folder = mkdtempSync(join(sandbox.folder, 'read-only-'));
  // A mount of its own if the machine permits that, otherwise a folder below a file, which no user can write to either.
  const target = join(folder, 'etc');
  mkdirSync(target);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', target]).status === 0;
  if (mounted) t.teardown(() => spawnSync('umount', [target]));
  else {
    execFileSync('rmdir', [target]);
    writeFileSync(target, '');
  }
  const destination = join(target, 'a.conf');
  const rendering = startRendering(t, { consul, folder, specs: [{ template: '{{key "one/a"}}\n', destination }] });
  const { lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, {
    error: { code: 'file-unwritable', message: /the file system is read-only|a part of its path is a file/ },
  });
  if (mounted) execFileSync('mount', ['-o', 'remount,rw', target]);
  else {
    execFileSync('rm', [target]);
    mkdirSync(target);
  }
  await rendering.until('current');
  t.ok(existsSync(destination));
});

t.test('hostile values stay one word, or are refused with their place and the old file stays', async (t) => {
  await consul.putKey('four', 'name1');
  const rendering = startRendering(t, {
    consul,
    specs: [{ name: 'a.cfg', template: 'server {{key "four"}} 10.0.0.1:1\n' }],
  });
  const { destination } = await rendering.until('current');
  for (const value of ['a\nserver evil 6.6.6.6:1', 'a\r', 'x\u0000y', 'a\u2028b', '']) {
    await consul.putKey('four', value);
    await waitFor(`the refusal of ${JSON.stringify(value)}`, () => rendering.state().lastOutcome, {
      until: (outcome) => outcome?.kind === 'failed' && outcome.error.code === 'value-refused',
    });
    t.match(rendering.state().lastOutcome, { error: { message: /^a\.cfg\.hbs:1:8: \{\{key "four"\}\} is / } });
    t.equal(read(destination), 'server name1 10.0.0.1:1\n');
    await consul.putKey('four', 'name1');
    await rendering.until('current');
  }
  for (const [value, word] of [
    ['a b', '"a b"'],
    ['{{key "x"}}', '"{{key \\"x\\"}}"'],
    ['"', '"\\""'],
    ['a 6.6.6.6:1 #', '"a 6.6.6.6:1 #"'],
    ['\\', '"\\\\"'],
    ['$HOME%[env(HOME)]', '"\\$HOME%[env(HOME)]"'],
  ] as const) {
    await consul.putKey('four', value);
    await waitFor(`the value ${value} as one word`, () => read(destination), {
      until: (text) => text === `server ${word} 10.0.0.1:1\n`,
    });
  }
});

t.test('the bundled templates pass the checks of the programs that they are for', async (t) => {
  await putRecord(consul, { name: 'shard2', master: { host: '127.0.0.3', port: 6380 } });
  const { folder } = sandbox;
  const specs = [
    {
      name: 'nutcracker.yml',
      template: 'twemproxy.yml.hbs',
      vars: { hash_tag: '{}' },
      check: { argv: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'] },
    },
    {
      name: 'haproxy.cfg',
      template: 'haproxy.cfg.hbs',
      vars: { stats_socket: join(folder, 'admin.sock'), twemproxy_bind: '127.0.0.1:22120' },
      check: { argv: ['haproxy', '-c', '-f', '{{file}}'] },
    },
    { name: 'app.json', template: 'app.json.hbs' },
    { name: 'app.env', template: 'app.env.hbs' },
  ];
  const rendering = startRendering(t, { consul, specs, resyncMs: 60_000 });
  for (const { name } of specs) await rendering.until('current', name);
  t.match(rendering.stages('haproxy.cfg'), { rendered: Number, checked: Number, swapped: Number });
  t.match(read(join(rendering.folder, 'nutcracker.yml')), / - 127\.0\.0\.3:6380:1 shard2\n/);
});

t.test('after a restart of Consul without data, the files stay until it has the data again', async (t) => {
  const mine = await sandbox.consul({ name: 'forgetful' });
  await putRecord(mine, { name: 'shard1' });
  const specs = [{ name: 'app.json', template: 'app.json.hbs' }];
  const rendering = startRendering(t, { consul: mine, specs });
  const { destination } = await rendering.until('current');
  const before = read(destination);
  await mine.restart();
  await waitFor('a report of the hold', () => rendering.state().lastOutcome, {
    until: (outcome) => outcome?.kind === 'held' && /shard1 stays .* \(Consul lost its data/.test(outcome.summary),
  });
  t.equal(read(destination), before);
  await putRecord(mine, { name: 'shard1', epoch: 5, master: { host: '10.0.0.2', port: 6379 } });
  await waitFor('the file to follow', () => read(destination)?.includes('10.0.0.2'));
});

t.test('a Consul that is down at the start is waited for', async (t) => {
  const mine = await sandbox.consul({ name: 'late' });
  await mine.putKey('a', '1');
  await mine.stop();
  const rendering = startRendering(t, { consul: mine, specs: [{ template: '{{key "a"}}\n' }] });
  await rendering.until('pending');
  await waitFor('the reason', () => rendering.state().lastOutcome, {
    until: (outcome) => outcome?.kind === 'held' && /Waits for key\(a\)\. Consul does not answer/.test(outcome.summary),
  });
  await mine.start();
  await mine.putKey('a', '2');
  const { destination } = await rendering.until('current');
  t.equal(read(destination), '2\n');
});
