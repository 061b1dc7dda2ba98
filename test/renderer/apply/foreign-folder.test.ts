import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writePidFile } from '../../../lib/daemon/pid-file.ts';
import { keepDrill } from '../../../lib/drill/history.ts';
import { anchored } from '../../../lib/links.ts';
import { swapIn, writeCandidate } from '../../../lib/renderer/apply/candidate.ts';
import { correctOwnership, readDestination } from '../../../lib/renderer/apply/file.ts';
import { overwrite } from '../../../lib/renderer/apply/in-place.ts';
import { keepAside } from '../../../lib/renderer/apply/kept-aside.ts';
import { signalPidFile } from '../../../lib/renderer/apply/signal.ts';
import {
  keepGoodCopy,
  readGoodCopy,
  readRenderState,
  writeRenderState,
} from '../../../lib/renderer/apply/state-file.ts';
import { JournalFile } from '../../../lib/telemetry/journal-file.ts';
import { makeFolders, nobody, plant, replace, skip } from './foreign-folder.ts';

/* The daemon runs as root, and the folder of its files belongs to another user, who may put anything there. */

const signal = new AbortController().signal;
const state = { digest: 'd', members: [], masters: {}, indexes: {} };

t.test('a destination that somebody else made a link is not followed', { skip }, async (t) => {
  const { folder, secret, root } = makeFolders(t);
  const message = /leads to .*belongs to user 65534.*Name the file itself, or give the link and its folder to root/;
  const refused = { code: 'file-unwritable', message };
  plant(secret, join(folder, 'a.cfg'));
  await t.rejects(replace(join(folder, 'a.cfg'), 'new'), refused, 'a link of nobody');
  await t.rejects(correctOwnership(join(folder, 'a.cfg'), { uid: nobody, mode: 0o644 }), refused);
  symlinkSync(secret, join(folder, 'b.cfg'));
  await t.rejects(replace(join(folder, 'b.cfg'), 'new'), refused, 'a link of root in a folder of nobody');
  plant(join(root, 'new'), join(folder, 'c.cfg'));
  await t.rejects(replace(join(folder, 'c.cfg'), 'new'), refused, 'a dangling link');
  plant(root, join(folder, 'conf'));
  await t.rejects(replace(join(folder, 'conf/secret'), 'new'), { ...refused, message: /leads to .*secret through/ });
  symlinkSync(join(folder, 'a.cfg'), join(root, 'd.cfg'));
  await t.rejects(replace(join(root, 'd.cfg'), 'new'), refused, 'a link of root to a link of nobody');
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
  t.strictSame([statSync(secret).uid, statSync(secret).mode & 0o777], [0, 0o600]);
  t.notOk(existsSync(join(root, 'new')));
});

t.test(
  'links of root, and folders that their owner linked to folders of the same owner, are followed',
  { skip },
  async (t) => {
    const { folder, root } = makeFolders(t);
    mkdirSync(join(folder, 'releases'));
    chownSync(join(folder, 'releases'), nobody, nobody);
    plant('releases', join(folder, 'current'));
    await replace(join(folder, 'current/a.cfg'), 'new');
    t.equal(readFileSync(join(folder, 'releases/a.cfg'), 'utf8'), 'new');
    symlinkSync(join(folder, 'releases/a.cfg'), join(root, 'b.cfg'));
    await replace(join(root, 'b.cfg'), 'newer');
    t.equal(readFileSync(join(folder, 'releases/a.cfg'), 'utf8'), 'newer');
    t.ok(readlinkSync(join(root, 'b.cfg')));
  },
);

t.test('a link in the place of a side file is neither written nor read', { skip }, async (t) => {
  const { folder, secret } = makeFolders(t);
  const destination = join(folder, 'a.cfg');
  writeFileSync(destination, 'old');
  const good = join(folder, '.a.cfg.switchmaster.good');
  const json = join(folder, '.a.cfg.switchmaster.json');
  for (const path of [good, `${good}.new`, json, `${json}.new`]) plant(secret, path);
  t.equal(await readGoodCopy(destination), undefined);
  t.equal(await readRenderState(destination), undefined);
  await writeRenderState(destination, state);
  const present = await readDestination(destination);
  if (present === undefined) throw new Error('there is no file');
  await keepGoodCopy(destination, present);
  await keepGoodCopy(destination, present, 'copied');
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
  t.match(await readRenderState(destination), state);
  t.equal(String(await readGoodCopy(destination)), 'old');
});

t.test('a side file of another user is ignored', { skip }, async (t) => {
  const { folder, secret } = makeFolders(t);
  const destination = join(folder, 'a.cfg');
  writeFileSync(destination, 'old');
  const good = join(folder, '.a.cfg.switchmaster.good');
  const json = join(folder, '.a.cfg.switchmaster.json');
  writeFileSync(good, 'theirs');
  writeFileSync(json, JSON.stringify({ ...state, refused: { digest: 'd', reason: 'theirs' } }));
  for (const path of [good, json]) chownSync(path, nobody, nobody);
  t.equal(await readGoodCopy(destination), undefined);
  t.equal(await readRenderState(destination), undefined);
  rmSync(good);
  linkSync(secret, good);
  t.equal(await readGoodCopy(destination), undefined, 'a second name of a secret');
});

t.test('a link that takes the place of a file meanwhile is not written', { skip }, async (t) => {
  const { folder, secret } = makeFolders(t);
  const destination = join(folder, 'a.cfg');
  writeFileSync(destination, 'old');
  const present = await readDestination(destination);
  const candidate = await writeCandidate({ destination, bytes: Buffer.from(''), ownership: {}, present, signal });
  rmSync(destination);
  plant(secret, destination);
  await t.rejects(overwrite(candidate, Buffer.from('new')), { message: /a link took its place meanwhile/ });
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
});

t.test('a folder that its owner replaces by a link in the middle of a change is not followed', { skip }, async (t) => {
  const { folder, root } = makeFolders(t);
  const victim = join(root, 'victim');
  const sub = join(folder, 'sub');
  const destination = join(sub, 'a.cfg');
  const names = ['a.cfg', 'a.cfg.bak', '.a.cfg.switchmaster.json', '.a.cfg.switchmaster.good', 'journal', 'pid'];
  mkdirSync(victim);
  for (const name of names) writeFileSync(join(victim, name), 'secret of root', { mode: 0o600 });
  mkdirSync(sub);
  chownSync(sub, nobody, nobody);
  writeFileSync(destination, 'old');
  const present = await readDestination(destination);
  if (present === undefined) throw new Error('there is no file');
  const candidate = await writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present, signal });
  renameSync(sub, `${sub}.moved`);
  plant(victim, sub);
  const into = { message: /leads to .*victim/ };
  await t.rejects(
    anchored(destination, async () => t.fail('the call begins')),
    into,
  );
  await t.rejects(swapIn(candidate), into);
  await t.rejects(overwrite(candidate, Buffer.from('new')), into);
  await t.rejects(writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present, signal }), into);
  await t.rejects(readDestination(destination), { message: /leads to .*a\.cfg through a link/ });
  await t.rejects(writeRenderState(destination, state));
  await t.rejects(keepGoodCopy(destination, present));
  const kept = await keepAside(present, { placement: 'rename', now: new Date() });
  t.equal(readFileSync(kept, 'utf8'), 'old', 'in the temporary folder');
  rmSync(kept);
  const journal = new JournalFile({ path: join(sub, 'journal'), onProblem: () => undefined });
  journal.append({ id: 1 } as never);
  await journal.close();
  await t.rejects(writePidFile(join(sub, 'pid')));
  t.strictSame(readdirSync(victim).toSorted(), names.toSorted());
  for (const name of names) t.equal(readFileSync(join(victim, name), 'utf8'), 'secret of root', name);
});

t.test('the journal and the drills do not follow a link of somebody else', { skip }, async (t) => {
  const { folder, secret } = makeFolders(t);
  const problems: string[] = [];
  plant(secret, join(folder, 'journal'));
  const journal = new JournalFile({
    path: join(folder, 'journal'),
    onProblem: ({ message }) => problems.push(message),
  });
  journal.append({ id: 1 } as never);
  await journal.close();
  t.match(problems, [/cannot write the journal to .*belongs to user 65534/]);
  plant(secret, join(folder, 'drills.jsonl'));
  await t.rejects(keepDrill(folder, { at: '', name: 'a', way: 'planned', stages: {}, withoutWritesMs: 0 }), {
    code: 'file-unwritable',
  });
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
});

t.test('a pid file of somebody else names only a process of the same user', { skip }, async (t) => {
  const { folder, root } = makeFolders(t);
  const pidFile = join(folder, 'pid');
  const start = async (uid: number): Promise<ChildProcess> => {
    const child = spawn('sleep', ['60'], { uid, gid: uid, cwd: '/' });
    await once(child, 'spawn');
    writeFileSync(pidFile, String(child.pid));
    chownSync(pidFile, nobody, nobody);
    return child;
  };
  const ours = await start(0);
  t.teardown(() => ours.kill());
  const message = /it is of user 0, and the file of user 65534/;
  await t.rejects(signalPidFile(pidFile, 'SIGTERM'), { code: 'reload-failed', message });
  writeFileSync(join(root, 'pid'), String(ours.pid));
  rmSync(pidFile);
  plant(join(root, 'pid'), pidFile);
  await t.rejects(signalPidFile(pidFile, 'SIGTERM'), { code: 'reload-failed', message: /link that belongs to user/ });
  rmSync(pidFile);
  const theirs = await start(nobody);
  const exit = once(theirs, 'exit');
  await signalPidFile(pidFile, 'SIGTERM');
  t.strictSame(await exit, [null, 'SIGTERM']);
});
