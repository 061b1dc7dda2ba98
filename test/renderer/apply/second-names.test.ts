import { execFileSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { appendLines } from '../../../lib/append-file.ts';
import { removePidFile } from '../../../lib/daemon/pid-file.ts';
import { keepDrill } from '../../../lib/drill/history.ts';
import { isAnyHanging } from '../../../lib/file-system.ts';
import { fixSwap, writeCandidate } from '../../../lib/renderer/apply/candidate.ts';
import { correctOwnership, readDestination } from '../../../lib/renderer/apply/file.ts';
import { overwrite } from '../../../lib/renderer/apply/in-place.ts';
import { keepGoodCopy, readGoodCopy } from '../../../lib/renderer/apply/state-file.ts';
import { JournalFile } from '../../../lib/telemetry/journal-file.ts';
import { makeFolders, nobody, plant, replace, skip } from './foreign-folder.ts';

/* Hard links, pipes and missing folders in a folder of another user. */

const { signal } = new AbortController();

t.test('a second name of a file of root is neither read nor changed nor appended to', { skip }, async (t) => {
  const { folder, secret } = makeFolders(t);
  const destination = join(folder, 'a.cfg');
  const good = join(folder, '.a.cfg.switchmaster.good');
  linkSync(secret, destination);
  const present = await readDestination(destination);
  t.match(present, { access: 'unreadable', path: destination });
  t.equal(String(present?.bytes), '');
  linkSync(secret, good);
  t.match(await readDestination(destination), { access: 'unreadable' }, 'also where the copy is one too');
  t.equal(await readGoodCopy(destination), undefined);
  const refused = { code: 'file-unwritable', message: /has further names \(hard links\).*Remove the file, or give/ };
  await t.rejects(correctOwnership(destination, { uid: nobody, mode: 0o644 }), refused);
  const candidate = await writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present, signal });
  await t.rejects(overwrite(candidate, Buffer.from('new')), refused);
  linkSync(secret, join(folder, 'journal'));
  linkSync(secret, join(folder, 'drills.jsonl'));
  const problems: string[] = [];
  const onProblem = ({ message }: Error) => problems.push(message);
  const journal = new JournalFile({ path: join(folder, 'journal'), onProblem });
  journal.append({ id: 1 } as never);
  await journal.close();
  t.match(problems, [/cannot write the journal to .*has further names/]);
  const drill = { at: '', name: 'a', way: 'planned', stages: {}, withoutWritesMs: 0 } as const;
  await t.rejects(keepDrill(folder, drill), { cause: refused });
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
  t.strictSame([statSync(secret).uid, statSync(secret).mode & 0o777], [0, 0o600]);
  await replace(destination, 'new');
  t.equal(readFileSync(destination, 'utf8'), 'new', 'a change of master is still written');
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
});

t.test('a second name stays refused where its folder is exchanged for one of root meanwhile', { skip }, async (t) => {
  const bytes = Buffer.from('new');
  const { sub: overwritten, secret } = makeSubfolder(t);
  const destination = join(overwritten, 'a.cfg');
  const present = await readDestination(destination);
  const candidate = await writeCandidate({ destination, bytes, ownership: {}, present, signal });
  await exchangeAfter(t, { folder: overwritten, reads: 1 });
  await t.rejects(overwrite(candidate, bytes), { code: 'file-unwritable' });
  t.equal(readFileSync(secret, 'utf8'), 'secret of root');
  const given = makeSubfolder(t);
  await exchangeAfter(t, { folder: given.sub, reads: 2 });
  await t.rejects(correctOwnership(join(given.sub, 'a.cfg'), { uid: nobody }), { code: 'file-unwritable' });
  t.equal(statSync(given.secret).uid, 0);
  const appended = join(makeSubfolder(t).sub, 'a.cfg');
  await t.rejects(appendLines(appended, 'line'), { message: new RegExp(`^${appended} has further names`) });
});

/** A folder that somebody else can replace, with a second name of the secret. */
function makeSubfolder(t: Test): { readonly sub: string; readonly secret: string } {
  const { folder, secret } = makeFolders(t);
  const sub = join(folder, 'sub');
  mkdirSync(sub);
  chownSync(sub, nobody, nobody);
  linkSync(secret, join(sub, 'a.cfg'));
  return { sub, secret };
}

/** Puts a folder of root in the place of this one as soon as a file with two names was examined so often by its handle. */
async function exchangeAfter(t: Test, { folder, reads }: { folder: string; reads: number }): Promise<void> {
  const handle = await open('/dev/null');
  const handles = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  let left = reads;
  const { stat } = handles;
  t.intercept(handles, 'stat', {
    async value(this: typeof handle) {
      const info = await stat.call(this);
      if (info.isFile() && info.nlink > 1) left -= 1;
      if (left !== 0) return info;
      left = -1;
      renameSync(folder, `${folder}.away`);
      mkdirSync(folder);
      return info;
    },
  });
}

t.test('a file with its good copy, and second names in a folder of root, are read', { skip }, async (t) => {
  const { folder, root, secret } = makeFolders(t);
  for (const at of [folder, root]) {
    const destination = join(at, 'a.cfg');
    writeFileSync(destination, 'old');
    const present = await readDestination(destination);
    if (present === undefined) throw new Error('there is no file');
    await keepGoodCopy(destination, present);
    t.match(await readDestination(destination), { access: 'readable' });
    t.equal(String(await readGoodCopy(destination)), 'old');
    await correctOwnership(destination, { mode: 0o640 });
    t.equal(statSync(destination).mode & 0o777, 0o640);
  }
  linkSync(secret, join(root, 'b.cfg'));
  t.match(await readDestination(join(root, 'b.cfg')), { access: 'readable' });
});

t.test('a pipe in the place of a folder or a file holds no thread', { skip }, async (t) => {
  const { folder } = makeFolders(t);
  execFileSync('mkfifo', [join(folder, 'sub'), join(folder, 'pid')]);
  const candidate = { path: '', destination: join(folder, 'sub/a.cfg'), refused: undefined };
  await t.rejects(fixSwap(candidate), { code: 'file-unwritable', message: /a part of its path is a file/ });
  await removePidFile(join(folder, 'pid'));
  t.notOk(isAnyHanging());
});

t.test('no folder is created through a link of somebody else', { skip }, async (t) => {
  const { folder, root } = makeFolders(t);
  mkdirSync(join(root, 'victim'));
  plant(join(root, 'victim'), join(folder, 'logs'));
  const journal = new JournalFile({ path: join(folder, 'logs/deep/journal'), onProblem: () => undefined });
  journal.append({ id: 1 } as never);
  await journal.close();
  t.strictSame(readdirSync(join(root, 'victim')), []);
});
