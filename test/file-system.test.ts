import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { withinDeadline } from '../lib/file-system.ts';
import { programFile } from './runner/environment.ts';

/** Reads files that hang, another file and a name. */
const readAll = `
  import { lookup } from 'node:dns/promises';
  import { readFile } from 'node:fs/promises';
  import { readRegularFile } from '${import.meta.resolve('../lib/regular-file.ts')}';
  import { readTemplate } from '${import.meta.resolve('../lib/renderer/observe/source.ts')}';
  const folder = process.argv[1];
  const paths = [1, 2, 3, 4, 5, 6].map((n) => folder + '/hang/' + n);
  const reads = paths.map((path) => readRegularFile(path).catch(({ code }) => code));
  const template = readTemplate({ source: folder + '/hang/a.hbs', destination: '/a' }).catch(({ code }) => code);
  const [local, { address }] = await Promise.all([readFile(folder + '/local', 'utf8'), lookup('localhost', 4)]);
  const codes = await Promise.all(reads);
  process.stdout.write(JSON.stringify({ codes, template: await template, local, name: address }));
  process.exit(3);`;

const late = { code: 'ETIMEDOUT' };

t.test('a call that returns late frees its file system', async (t) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  t.teardown(() => resolve(''));
  const late = withinDeadline('/dev/a', () => promise);
  await t.rejects(late, { code: 'ETIMEDOUT' });
  resolve('late');
  await new Promise(setImmediate);
  t.equal(await withinDeadline('/dev/a', async () => 'a'), 'a');
  await t.rejects(
    withinDeadline('/dev/a', async () => Promise.reject(new Error('gone'))),
    /gone/,
  );
  t.equal(await withinDeadline('/dev/a', async () => 'a'), 'a');
});

/** Three calls, of which two have started. Repeats all if the answer before them is too old, as on a busy machine. */
async function startThree(t: Test) {
  for (;;) {
    const started: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    t.teardown(() => resolve());
    const slow = (path: string) => {
      const call = () => {
        started.push(path);
        return promise;
      };
      return withinDeadline(path, call, { timeoutMs: 60_000 });
    };
    await withinDeadline('/proc/first', async () => undefined, { timeoutMs: 60_000 });
    const calls = ['/proc/a', '/proc/b', '/proc/c'].map(slow);
    const startMs = performance.now();
    while (started.length < 2 && performance.now() - startMs < 1_000) await new Promise(setImmediate);
    if (started.length === 2) return { started, calls, slow, end: resolve };
    resolve();
    await Promise.all(calls);
  }
}

t.test('a file system that has answered gets two calls at a time, and one thread stays for others', async (t) => {
  const { started, calls, slow, end } = await startThree(t);
  calls.push(slow('/x'));
  while (started.length < 3) await new Promise(setImmediate);
  t.equal(started.filter((path) => path !== '/x').length, 2, 'the third of a file system waits');
  t.ok(started.includes('/x'), 'others do not');
  end();
  await Promise.all(calls);
  t.equal(started.length, 4);
});

/** Runs a program in a mount namespace whose folder `hang` hangs; undefined where no mounts are permitted. */
function runBesideHang(folder: string, argv: readonly string[]) {
  // The kernel waits for the answer of a FUSE server, which this shell never gives.
  const script = `
    exec 3<>/dev/fuse && mkdir -p ${folder}/hang &&
    mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hang ${folder}/hang || exit 77
    exec "$@"`;
  const options = { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr, status } = spawnSync('unshare', ['-m', 'bash', '-c', script, 'bash', ...argv], options);
  return status === 77 || status === 1 ? undefined : { output: stdout + stderr, status };
}

t.test('six files on a mount that hangs leave threads for names and other files', async (t) => {
  const folder = t.testdir({ local: 'local' });
  const run = runBesideHang(folder, [process.execPath, '--input-type=module', '-e', readAll, folder]);
  if (run === undefined) return void t.pass('no mounts are permitted here');
  t.equal(run.status, 3, 'the process ends although a thread hangs');
  const codes = Array.from({ length: 6 }, () => 'ETIMEDOUT');
  t.same(
    JSON.parse(run.output),
    { codes, template: 'template-failed', local: 'local', name: '127.0.0.1' },
    'a template is read again',
  );
});

t.test('a check of a config whose secrets hang ends', async (t) => {
  const folder = t.testdir({});
  const files = ['a', 'b', 'c', 'd', 'e'].map((name) => `${folder}/hang/${name}`);
  const register = files.map((passwordFile, i) => ({ kind: 'redis', address: `127.0.0.1:${7000 + i}`, passwordFile }));
  writeFileSync(`${folder}/a.yml`, JSON.stringify({ register }));
  const program = programFile();
  const run = runBesideHang(folder, [process.execPath, program, 'check', '-c', `${folder}/a.yml`]);
  if (run === undefined) return void t.pass('no mounts are permitted here');
  t.equal(run.status, 2);
  for (const file of files) t.match(run.output, `${file}`);
  t.match(run.output, /does not answer within 2000 ms/);
});

t.test('a path that hangs fails in time, and at once from then on, and others are read', async (t) => {
  const started: string[] = [];
  // Other tests of this process need the threads again.
  const { promise: end, resolve } = Promise.withResolvers<void>();
  t.teardown(() => resolve());
  const hang = (path: string) =>
    withinDeadline(path, () => {
      started.push(path);
      return end;
    });
  // Two paths of one mount point share its thread.
  await Promise.all(['/proc/a', '/proc/b', '/x', '/x'].map((path) => t.rejects(hang(path), late, path)));
  t.same(started.sort(), ['/proc/a', '/x']);
  const startMs = performance.now();
  await Promise.all(['/proc/c', '/x'].map((path) => t.rejects(hang(path), late, path)));
  // They do not wait for the deadline.
  t.ok(performance.now() - startMs < 2_000);
  t.equal(await withinDeadline('/y', async () => 'y'), 'y');
  // The last thread but one: then only calls outside of this room get one.
  await t.rejects(hang('/z'), late);
  await t.rejects(hang('/y'), late);
  t.same(started.sort(), ['/proc/a', '/x', '/z']);
});
