import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeOldNode, neededNode } from '../../cmd/node-version.ts';
import { buildBin } from '../../packaging/bin.ts';
import { buildProgram } from '../runner/program.ts';

const root = join(import.meta.dirname, '../..');

t.test('the needed version is the one that package.json names', async (t) => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  t.equal(engines.node, `>=${neededNode}`);
});

t.test('a version that is too old is named with what is needed', async (t) => {
  const path = '/usr/bin/node';
  for (const version of ['10.24.1', '18.20.4', '20.20.2', '22.17.1', '22.9.0', 'x']) {
    const text = describeOldNode({ version, path }) ?? '';
    t.match(text, `needs Node.js 22.18 or newer, and this is ${version} (/usr/bin/node).`);
  }
  for (const version of ['22.18.0', '22.23.3', '24.0.0', '26.1.0-nightly']) {
    t.equal(describeOldNode({ version, path }), undefined, version);
  }
});

/** The npm package's command, as the build makes it, beside another `switchmaster.mjs` where there is a text. */
async function makeCommand(t: Test, { needed, bundle }: { readonly needed?: string; readonly bundle?: string }) {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' });
  const command = await buildBin(join(folder, 'bin.cjs'));
  if (needed !== undefined) replaceNeeded(command, needed);
  const program = join(folder, 'switchmaster.mjs');
  if (bundle === undefined) copyFileSync(await buildProgram(), program);
  else writeFileSync(program, bundle);
  return command;
}

function replaceNeeded(file: string, needed: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(`"${neededNode}"`, `"${needed}"`));
}

const endsAsTooOld = (t: Test, node: string, argv: readonly string[]): void => {
  const { status, stdout, stderr } = spawnSync(node, argv, { encoding: 'utf8' });
  t.match({ status, stdout }, { status: 2, stdout: '' }, argv.join(' '));
  t.match(stderr, /^switchmaster needs Node\.js \d+\.\d+ or newer, and this is \d+\.\d+\.\d+ \(/);
  t.notMatch(stderr, /internal|defect|Error/);
};

const commands = [['run'], ['check'], ['--version'], []];

t.test('an old Node.js ends every command with 2 and names itself, whatever it cannot parse or link', async (t) => {
  for (const bundle of ["import { notYet } from 'node:fs';", 'await using file = what is that;']) {
    const command = await makeCommand(t, { needed: '999.0', bundle });
    for (const argv of commands) endsAsTooOld(t, process.execPath, [command, ...argv]);
  }
});

t.test('the Node.js of this machine runs the command and the single file, or is named', async (t) => {
  const command = await makeCommand(t, {});
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const program of [command, join(command, '../switchmaster.mjs')]) {
    t.equal(spawnSync(process.execPath, [program, '--version'], { encoding: 'utf8' }).stdout, `${version}\n`);
    const system = '/usr/bin/node';
    const present = spawnSync(system, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout?.trim() ?? '';
    if (present !== '' && describeOldNode({ version: present, path: system }) !== undefined)
      for (const argv of commands) endsAsTooOld(t, system, [program, ...argv]);
  }
});

t.test('the single file checks the version before it loads anything that an old Node.js does not have', async (t) => {
  const file = join(t.testdir({}), 'switchmaster.mjs');
  copyFileSync(await buildProgram(), file);
  const names = importedNames(readFileSync(file, 'utf8'));
  t.ok(names.includes('readFileSync'));
  t.strictSame(
    names.filter((name) => newerThan18.has(name)),
    [],
  );
  replaceNeeded(file, '999.0');
  for (const argv of commands) endsAsTooOld(t, process.execPath, [file, ...argv]);
});

/** Of the built-in modules that switchmaster uses: what Node.js 18.20 does not have. */
const newerThan18 = new Set(
  'hash styleText parseEnv getCallSite getCallSites getSystemErrorMessage diff setTraceSigInt globSync glob openAsBlob mkdtempDisposable mkdtempDisposableSync stripTypeScriptTypes registerHooks enableCompileCache flushCompileCache findPackageJSON matchesGlob fileURLToPathBuffer getDefaultAutoSelectFamilyAttemptTimeout argon2 setCACertificates getCACertificates isMarkedAsUntransferable addAbortListener'.split(
    ' ',
  ),
);

/** What the static imports of built-in modules name. */
function importedNames(text: string): readonly string[] {
  const lists = [...text.matchAll(/\bimport\s*(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*["']node:/g)];
  return lists.flatMap(([, list = '']) => list.split(',').map((one) => one.trim().split(/\s+as\s+/)[0] ?? ''));
}
