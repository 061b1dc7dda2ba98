import { appendFileSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followForReading } from '../lib/links.ts';
import { readRegularFile, statOpened } from '../lib/regular-file.ts';
import { handleMethods } from './handle-methods.ts';

/** Calls `onStat` between the answer to a file handle's `stat` and whoever asked. `path` is a file that can be opened. */
async function interceptStat(t: Test, path: string, onStat: () => void): Promise<void> {
  const handle = await open(path);
  const handles = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { stat } = handles;
  t.intercept(handles, 'stat', {
    async value(this: typeof handle) {
      const info = await stat.call(this);
      onStat();
      return info;
    },
  });
}

t.test('a file that is replaced while it is read is read again', async (t) => {
  const folder = t.testdir({ 'a.hbs': 'old', new: 'new' });
  const path = join(folder, 'a.hbs');
  const { target, refuse: accept } = await followForReading(path);
  let replaced = 0;
  await interceptStat(t, path, () => {
    if (replaced++ === 0) renameSync(join(folder, 'new'), path);
  });
  t.equal(await readRegularFile(target, { accept }), 'new');
  t.ok(replaced > 1);
});

t.test('a file that stays refused is not read', async (t) => {
  const path = join(t.testdir(), 'a.hbs');
  writeFileSync(path, 'text');
  await t.rejects(readRegularFile(path, { accept: () => 'it is not wanted' }), { message: 'it is not wanted' });
});

t.test('a file without a size is read as far as allowed, and one without an end is refused', async (t) => {
  t.match(await readRegularFile('/proc/self/status'), /^Name:.*\n(?:.*\n)+$/);
  await t.rejects(readRegularFile('/proc/self/pagemap'));
  for (const size of [0, 1, 4095, 4096, 4097, 8192, 100_000]) {
    const path = join(t.testdir(), 'a');
    writeFileSync(path, 'x'.repeat(size));
    t.equal((await readRegularFile(path)).length, size);
    t.equal((await readRegularFile(path, { maxBytes: size })).length, size);
    if (size > 0) await t.rejects(readRegularFile(path, { maxBytes: size - 1 }), { message: /^it is larger/ });
  }
});

t.test('a file that grows while it is read is read as far as allowed', async (t) => {
  const path = join(t.testdir(), 'a');
  writeFileSync(path, 'x'.repeat(10));
  let grown = 0;
  await interceptStat(t, path, () => {
    appendFileSync(path, 'y'.repeat(10_000));
    grown += 1;
  });
  t.equal((await readRegularFile(path)).length, 10_010);
  await t.rejects(readRegularFile(path, { maxBytes: 20_000 }), { message: 'it is larger than 20000 bytes' });
  t.equal(grown, 2);
});

t.test('the event loop itself asks only for files that are local, also behind a link of a folder', async (t) => {
  const folder = t.testdir({ real: { a: '' } });
  symlinkSync('/proc', join(folder, 'proc'));
  symlinkSync('real', join(folder, 'near'));
  const handles = await handleMethods(folder);
  const { stat } = handles;
  let calls = 0;
  t.intercept(handles, 'stat', {
    value(this: FileHandle) {
      calls += 1;
      return stat.call(this);
    },
  });
  for (const [name, expected] of [
    ['proc/version', 1],
    ['near/a', 0],
  ] as const) {
    calls = 0;
    const handle = await open(join(folder, name));
    t.ok((await statOpened(handle)).isFile(), name);
    await handle.close();
    t.equal(calls, expected, name);
  }
});

/** Files of the kernel, of the system and of the package, which no setting names. */
const plainReads: Readonly<Record<string, string>> = {
  'cmd/version.ts': 'the package',
  'lib/http/page.ts': 'the package',
  'lib/mounts.ts': '/proc/self/mountinfo',
  'lib/renderer/observe/haproxy-defaults.ts': '/proc/self/status, /etc/passwd and /etc/group',
  'lib/template/bounded/cpu-limit.ts': '/proc/PID/stat',
  'lib/drill/process.ts': '/proc/PID/net/tcp',
};

/** Also over several lines. */
const readsByName =
  /import\s*\{[^}]*\b(?:readFile|readFileSync|createReadStream|openAsBlob)\b[^}]*\}\s*from\s*['"](?:node:)?fs|[.](?:readFile\([)'"{]|createReadStream\(|readableWebStream\()/;
const namespaceOfFs =
  /import\s+(?!type\b)(?:\*\s*as\s+)?\w+(?:\s*,[^;]*?)?\s+from\s*['"](?:node:)?fs|import\s*\{[^}]*\b(?:default|promises)\b[^}]*\}\s*from\s*['"](?:node:)?fs|\b(?:import|require|getBuiltinModule)\(\s*['"](?:node:)?fs/;

t.test('the search finds each form of an import', (t) => {
  for (const text of [
    "import { readFile } from 'node:fs/promises';",
    "import { type Stats, readFileSync } from 'node:fs';",
    "import {\n  lstat,\n  readFile as read,\n} from 'node:fs/promises';",
    'await handle.readFile()',
    "await handle.readFile('utf8')",
  ])
    t.match(text, readsByName);
  for (const text of [
    "import fs from 'node:fs';",
    "import * as fs from 'node:fs/promises';",
    "import fs, { lstat } from 'node:fs';",
    "import { promises } from 'node:fs';",
    "import { promises as fs } from 'fs';",
    "const { readFile } = await import('node:fs/promises');",
  ])
    t.match(text, namespaceOfFs);
  for (const text of ["import type { Stats } from 'node:fs';", "import { lstat, stat } from 'node:fs/promises';"]) {
    t.notMatch(text, readsByName);
    t.notMatch(text, namespaceOfFs);
  }
  t.end();
});

t.test('no other file is read in a way that a pipe or a device could hold up', (t) => {
  const readers: string[] = [];
  for (const folder of ['lib', 'cmd'])
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = `${folder}/${name}`;
      if (!/^(?!lib\/http\/page\/).*[.]ts$/.test(file)) continue;
      const text = readFileSync(file, 'utf8');
      t.notMatch(text, namespaceOfFs, `${file}: import the functions of node:fs by name`);
      if (readsByName.test(text)) readers.push(file);
    }
  t.strictSame(readers.toSorted(), Object.keys(plainReads).toSorted());
  t.end();
});
