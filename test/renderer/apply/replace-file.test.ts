import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { readDestination } from '../../../lib/renderer/apply/file.ts';
import type { Step } from '../../../lib/renderer/apply/reload.ts';
import { ReloadInFlight } from '../../../lib/renderer/apply/reload-in-flight.ts';
import { replaceFile } from '../../../lib/renderer/apply/replace-file.ts';
import { Splay } from '../../../lib/renderer/apply/splay.ts';
import { digestOf } from '../../../lib/renderer/head.ts';
import { emptyMemory, type GoodRendering } from '../../../lib/renderer/plan/rendering.ts';
import { StageClock } from '../../../lib/renderer/stages.ts';
import { waitFor } from '../../sandbox/condition.ts';

const never = new AbortController().signal;

interface Input {
  readonly destination: string;
  readonly placement: 'rename' | 'in-place';
  readonly reload?: readonly string[];
  readonly warn?: Step['warn'];
}

function makeStep({ destination, placement, warn = () => undefined, reload = ['true'] }: Input): Step {
  return {
    spec: {
      name: 'a.conf',
      source: '/a.conf.hbs',
      destination,
      vars: {},
      reload: { kind: 'command', command: { argv: reload, timeoutMs: 5_000 } },
      wait: { minMs: 0, maxMs: 0 },
      guard: { maxLoss: 1, onEmpty: 'follow' },
      upkeep: 'kept',
      placement,
    },
    signal: never,
    interrupted: never,
    clock: new StageClock(),
    urgency: 'ordinary',
    supervisor: undefined,
    reloads: new ReloadInFlight(),
    splay: new Splay(),
    warn,
  };
}

const rendering: GoodRendering = {
  kind: 'rendered',
  text: 'new',
  digest: '',
  members: [],
  lists: { filled: [], empty: [] },
  masters: new Map(),
  records: 'not-read',
  warnings: [],
  refusal: undefined,
};

/** Beside the file itself. */
const unchanged = {
  rendering,
  servers: 'unknown',
  urgency: 'ordinary',
  memory: emptyMemory,
  replaces: 'own-file',
  onSwapped: async () => undefined,
  onLate: () => undefined,
} as const;

/** Replaces a file by a rendering that is refused. Returns the warnings of the run. */
async function refuse(t: Test, destination: string): Promise<readonly string[]> {
  const warnings: string[] = [];
  const step = makeStep({ destination, placement: 'in-place', warn: (warning) => warnings.push(warning) });
  const replacing = replaceFile(step, {
    ...unchanged,
    rendering: { ...rendering, refusal: new SwitchmasterError('check-failed', 'It is refused.') },
    present: await readDestination(destination),
  });
  await t.rejects(replacing, { code: 'check-failed' });
  return warnings;
}

t.test('a refused text ends the run only when the good copy has its name', async (t) => {
  const folder = t.testdir();
  const destination = join(folder, 'a.conf');
  // Its copy takes longer than the run.
  writeFileSync(destination, Buffer.alloc(48 * 1024 * 1024, 'a'));
  t.same(await refuse(t, destination), []);
  t.same(readdirSync(folder).sort(), ['.a.conf.switchmaster.good', 'a.conf']);
  t.equal(readFileSync(join(folder, '.a.conf.switchmaster.good')).length, 48 * 1024 * 1024);
});

t.test('a refused text does not hide why there is no good copy', async (t) => {
  const folder = t.testdir({ 'a.conf': 'old' });
  // Nothing can take the place of a folder with a file.
  mkdirSync(join(folder, '.a.conf.switchmaster.good', 'file'), { recursive: true });
  t.match(await refuse(t, join(folder, 'a.conf')), [/^Cannot keep the last good .*a\.conf as .*\.good/]);
  t.equal(readFileSync(join(folder, 'a.conf'), 'utf8'), 'old');
});

for (const { copy, proven, expected } of [
  { copy: 'older', proven: 'last', expected: { kind: 'owed', file: 'new' } },
  { copy: 'last', proven: 'last', expected: { kind: 'rolled-back', file: 'last' } },
]) {
  t.test(`a file that could not be read is rolled back to the text that worked last only: ${copy}`, async (t) => {
    const folder = t.testdir({ 'a.conf': 'last', '.a.conf.switchmaster.good': copy });
    const destination = join(folder, 'a.conf');
    const present = await readDestination(destination);
    if (present === undefined) throw new Error('no file');
    const { kind } = await replaceFile(
      makeStep({ destination, placement: 'rename', reload: ['grep', '-q', 'last', destination] }),
      {
        ...unchanged,
        present: { ...present, bytes: Buffer.alloc(0), access: 'unreadable' },
        memory: {
          ...emptyMemory,
          proven: { digest: digestOf(Buffer.from(proven)), members: [], filled: [], masters: new Map() },
        },
      },
    );
    t.strictSame({ kind, file: readFileSync(destination, 'utf8') }, expected);
  });
}

/** Lets each flush of a file wait until `until` resolves. */
async function holdFlushes(t: Test, until: () => Promise<unknown>): Promise<void> {
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  prototype.sync = async function (this: FileHandle) {
    await until();
    await sync.call(this);
  };
  t.teardown(() => {
    prototype.sync = sync;
  });
}

t.test('while the disk flushes the new file, the former one becomes the good copy', async (t) => {
  const folder = t.testdir({ 'a.conf': 'last' });
  const copy = join(folder, '.a.conf.switchmaster.good');
  const present = await readDestination(join(folder, 'a.conf'));
  await holdFlushes(t, () => waitFor('the good copy', () => existsSync(copy), { until: (exists) => exists }));
  const step = makeStep({ destination: join(folder, 'a.conf'), placement: 'rename' });
  t.strictSame(await replaceFile(step, { ...unchanged, present }), { kind: 'done' });
  t.equal(readFileSync(copy, 'utf8'), 'last');
  t.equal(readFileSync(join(folder, 'a.conf'), 'utf8'), 'new');
});

t.test(
  'in a folder that others may write, the former file gets no second name before the new one is flushed',
  async (t) => {
    const folder = t.testdir({ 'a.conf': 'last' });
    chmodSync(folder, 0o777);
    const present = await readDestination(join(folder, 'a.conf'));
    const seen: string[] = [];
    await holdFlushes(t, async () =>
      seen.push(
        readdirSync(folder)
          .filter((name) => name.includes('good'))
          .join(),
      ),
    );
    const step = makeStep({ destination: join(folder, 'a.conf'), placement: 'rename' });
    t.strictSame(await replaceFile(step, { ...unchanged, present }), { kind: 'done' });
    // The second flush is that of the folder.
    t.strictSame(seen, ['', '.a.conf.switchmaster.good']);
    t.equal(readFileSync(join(folder, '.a.conf.switchmaster.good'), 'utf8'), 'last');
  },
);

t.test('a run that is interrupted keeps no copy when its file is flushed later', async (t) => {
  const folder = t.testdir({ 'a.conf': 'last' });
  const destination = join(folder, 'a.conf');
  const present = await readDestination(destination);
  const interruption = new AbortController();
  const flush = Promise.withResolvers<void>();
  await holdFlushes(t, () => flush.promise);
  const step = { ...makeStep({ destination, placement: 'rename' }), interrupted: interruption.signal };
  const replacing = replaceFile(step, { ...unchanged, present });
  interruption.abort();
  await t.rejects(replacing, { name: 'AbortError' });
  flush.resolve();
  const names = () => readdirSync(folder);
  await waitFor('the candidate to be gone', names, {
    until: (all) => all.every((name) => !/-[0-9a-f]{8}$/.test(name)),
  });
  t.notOk(existsSync(join(folder, '.a.conf.switchmaster.good')));
  t.equal(readFileSync(destination, 'utf8'), 'last');
});
