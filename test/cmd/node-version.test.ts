import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeOldNode, neededNode } from '../../cmd/node-version.ts';

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

/** The files that load before the guard ends the process, as the build makes them. */
function makeEntry(t: Test): string {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' });
  for (const name of ['switchmaster', 'node-version', 'early-signals']) {
    const source = readFileSync(join(root, 'cmd', `${name}.ts`), 'utf8');
    writeFileSync(join(folder, `${name}.js`), stripTypeScriptTypes(source).replaceAll(".ts'", ".js'"));
  }
  return join(folder, 'switchmaster.js');
}

function versionOf(node: string): string {
  return spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout?.trim() ?? '';
}

t.test('an old Node.js ends every command with 2 and names itself', async (t) => {
  const system = '/usr/bin/node';
  const version = versionOf(system);
  const isOld = version !== '' && describeOldNode({ version, path: system }) !== undefined;
  const entry = makeEntry(t);
  // If this machine has no old Node.js, the present one stands in for it.
  if (!isOld) {
    const guard = join(entry, '../node-version.js');
    writeFileSync(guard, readFileSync(guard, 'utf8').replace("'22.18'", "'999.0'"));
  }
  for (const argv of [['run'], ['check'], ['--version'], []]) {
    const { status, stdout, stderr } = spawnSync(isOld ? system : process.execPath, [entry, ...argv], {
      encoding: 'utf8',
    });
    t.match({ status, stdout }, { status: 2, stdout: '' }, argv.join(' '));
    t.match(stderr, /^switchmaster needs Node\.js \d+\.\d+ or newer, and this is \d+\.\d+\.\d+ \(/);
    t.notMatch(stderr, /internal|defect|Error/);
  }
});
