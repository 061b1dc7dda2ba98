import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { swapIn, writeCandidate } from '../../../lib/renderer/apply/candidate.ts';
import { runCommand } from '../../../lib/renderer/apply/command.ts';
import { readDestination } from '../../../lib/renderer/apply/file.ts';
import { keepGoodCopy, readGoodCopy } from '../../../lib/renderer/apply/state-file.ts';
import { makeFolders, nobody } from './foreign-folder.ts';

const signal = new AbortController().signal;

/** Runs the cases of this file in a child process that gave up root. */
function runAsNobody(destination: string) {
  const apply = join(import.meta.dirname, '../../../lib/renderer/apply');
  const script = `
    const { readDestination } = await import('${apply}/file.ts');
    const { swapIn, writeCandidate } = await import('${apply}/candidate.ts');
    const { keepGoodCopy, readGoodCopy } = await import('${apply}/state-file.ts');
    process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody});
    const destination = ${JSON.stringify(destination)};
    const present = await readDestination(destination);
    if (present.access === 'readable') await keepGoodCopy(destination, present);
    const signal = new AbortController().signal;
    const candidate = await writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present, signal });
    await swapIn(candidate);
    console.log(JSON.stringify({ refused: candidate.refused, good: String(await readGoodCopy(destination)) }));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

/** A file of root in a folder of nobody. */
function lendFile(t: Test): string {
  const destination = join(makeFolders(t).folder, 'a.cfg');
  writeFileSync(destination, 'old');
  return destination;
}

t.test('a daemon without root replaces a file of root in a folder that it may write', async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass('only root can give up root');
    return;
  }
  const destination = lendFile(t);
  const { stdout, stderr } = runAsNobody(destination);
  t.equal(stderr.replace(/^.*(Warning|trace-warnings).*$/gm, '').trim(), '');
  const { refused, good } = JSON.parse(stdout) as { refused: string; good: string };
  t.equal(readFileSync(destination, 'utf8'), 'new');
  t.strictSame([statSync(destination).uid, statSync(destination).mode & 0o777], [nobody, 0o644]);
  t.match(
    refused,
    /a\.cfg cannot have the owner 0:0 and mode 644\. It has 65534:65534 and mode 644\. Run the daemon as root/,
  );
  // fs.protected_hardlinks refuses a link to a file of another owner.
  t.equal(good, 'old');
});

t.test('a daemon without root replaces a file that it may not read', async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass('only root can give up root');
    return;
  }
  const destination = lendFile(t);
  chmodSync(destination, 0o600);
  runAsNobody(destination);
  t.equal(readFileSync(destination, 'utf8'), 'new');
  t.strictSame([statSync(destination).uid, statSync(destination).mode & 0o777], [nobody, 0o600]);
});

t.test('the good copy has the bytes of the file, also of one that is not UTF-8 text', async (t) => {
  const bytes = Buffer.from('# f\u00fcr\n', 'latin1');
  const destination = join(t.testdir({ 'a.cfg': bytes }), 'a.cfg');
  const present = await readDestination(destination);
  if (present === undefined) throw new Error('there is no file');
  await keepGoodCopy(destination, present);
  t.ok((await readGoodCopy(destination))?.equals(bytes));
});

t.test('where no good copy can be kept, no older copy stays', async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old', '.a.cfg.switchmaster.good': 'older' });
  const destination = join(folder, 'a.cfg');
  const present = await readDestination(destination);
  if (present === undefined) throw new Error('there is no file');
  mkdirSync(join(folder, '.a.cfg.switchmaster.good.new'));
  await t.rejects(keepGoodCopy(destination, present), { code: 'file-unwritable' });
  t.equal(await readGoodCopy(destination), undefined);
});

t.test('the target of a dangling link is created', async (t) => {
  const folder = t.testdir({ run: {}, etc: {} });
  const destination = join(folder, 'etc/a.cfg');
  const replace = async () =>
    swapIn(await writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present: undefined, signal }));
  symlinkSync('../run/b.cfg', destination);
  symlinkSync('c.cfg', join(folder, 'run/b.cfg'));
  await replace();
  t.equal(readFileSync(join(folder, 'run/c.cfg'), 'utf8'), 'new');
  t.equal(readFileSync(destination, 'utf8'), 'new');
});

t.test('a link into a folder that is not there names the target', async (t) => {
  const folder = t.testdir({});
  const destination = join(folder, 'a.cfg');
  symlinkSync('gone/b.cfg', destination);
  const write = writeCandidate({ destination, bytes: Buffer.from('x'), ownership: {}, present: undefined, signal });
  const message = /a\.cfg \(a link to .*gone\/b\.cfg\) cannot be written: its folder does not exist/;
  await t.rejects(write, { code: 'file-unwritable', message });
  symlinkSync('loop', join(folder, 'loop'));
  await t.rejects(readDestination(join(folder, 'loop')), { code: 'file-unwritable' });
});

t.test('a command runs without a writable TMPDIR', async (t) => {
  const before = process.env.TMPDIR;
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  process.env.TMPDIR = '/nowhere/at/all';
  const file = join(t.testdir({ 'a.cfg': 'x' }), 'a.cfg');
  writeFileSync(file, 'y');
  const { output } = await runCommand({ command: { argv: ['cat', '{{file}}'], timeoutMs: 30_000 }, file, signal });
  t.equal(output, 'y');
  t.notOk(existsSync('/nowhere'));
});
