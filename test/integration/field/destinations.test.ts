import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nodeEnvironment } from '../../runner/environment.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder } from '../support/rendering.ts';

/* Destinations onto which nothing can be renamed, in a mount namespace that ends with its process. */

t.setTimeout(240_000);
const root = join(import.meta.dirname, '../../..');

/** Runs a shell script that may mount. A user without root gets a user namespace as well. */
function inMounts(script: string) {
  const flags = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
  return spawnSync('unshare', [...flags, '/bin/sh', '-c', script], { env: nodeEnvironment(), encoding: 'utf8' });
}

t.test('every destination that cannot be replaced is named with a hint, and others are not', async (t) => {
  const folder = makeFolder(t);
  const module = (name: string) => join(root, `lib/renderer/${name}.ts`);
  const names = ['good', 'mounted', 'in-place', 'read-only', 'immutable', 'immutable-folder', 'overlay', 'missing'];
  for (const name of names.filter((name) => name !== 'missing')) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'a.cfg'), 'old');
  }
  for (const layer of ['lower', 'upper', 'work']) mkdirSync(join(folder, layer));
  writeFileSync(join(folder, 'source'), 'old');
  const examine = `
    const { examineDestination } = await import('${module('destination')}');
    for (const name of ${JSON.stringify(names)}) {
      const placement = name === 'in-place' ? 'in-place' : undefined;
      const destination = '${folder}/' + name + '/a.cfg';
      console.log(JSON.stringify([name, await examineDestination({ destination, placement }) ?? 'fits']));
    }`;
  writeFileSync(join(folder, 'examine.mjs'), examine);
  const { stdout, stderr } = inMounts(`
    cd ${folder}
    mount --bind source mounted/a.cfg && mount --bind source in-place/a.cfg
    mount -t tmpfs -o ro tmpfs read-only
    mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay
    mount -t tmpfs tmpfs immutable && echo old > immutable/a.cfg && chattr +i immutable/a.cfg || echo '["no"]'
    mount -t tmpfs tmpfs immutable-folder && chattr +i immutable-folder || echo '["no"]'
    ${process.execPath} examine.mjs
    chattr -i immutable/a.cfg immutable-folder 2>/dev/null`);
  const found = new Map(stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])));
  const immutable = found.has('no') ? 'fits' : /immutable \(see lsattr, run chattr -i\)/;
  const wanted: Readonly<Record<string, string | RegExp>> = {
    good: 'fits',
    mounted: /mounted\/a\.cfg cannot be replaced: it is a mount point.*mount its folder instead, or set inPlace: true/,
    'in-place': 'fits',
    'read-only': /cannot be replaced: the file system is read-only; mount it with write access/,
    immutable,
    'immutable-folder': immutable,
    overlay: 'fits',
    missing: /its folder does not exist; create it/,
  };
  for (const [name, expected] of Object.entries(wanted)) t.match(found.get(name), expected, `${name} ${stderr}`);
});

t.test('an owner is found although no temporary folder can be written', (t) => {
  const folder = makeFolder(t);
  const examine = `
    const { resolveOwnership } = await import('${join(root, 'lib/renderer/apply/file-owner.ts')}');
    const { signal } = new AbortController();
    const spec = { destination: '${folder}/link', owner: 'daemon', group: 'daemon' };
    const warn = (warning) => console.log(warning);
    console.log(JSON.stringify(await resolveOwnership({ spec, signal, interrupted: signal, warn })));`;
  writeFileSync(join(folder, 'examine.mjs'), examine);
  mkdirSync(join(folder, 'good'));
  writeFileSync(join(folder, 'good/a.cfg'), '');
  symlinkSync('good/a.cfg', join(folder, 'link'));
  const { stdout, stderr } = inMounts(`
    mount -t tmpfs -o ro tmpfs /dev/shm
    TMPDIR=/nowhere ${process.execPath} ${folder}/examine.mjs`);
  t.equal(stdout.trim(), '{"uid":1,"gid":1}', stderr);
  t.end();
});

t.test('a file of another user in a sticky folder is named', async (t) => {
  const folder = makeFolder(t);
  if (process.getuid?.() !== 0) {
    t.pass('only root can give a file away');
    return;
  }
  chmodSync(folder, 0o1777);
  writeFileSync(join(folder, 'a.cfg'), 'old');
  const examine = `
    const { examineDestination } = await import('${join(root, 'lib/renderer/destination.ts')}');
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    console.log(await examineDestination({ destination: '${folder}/a.cfg' }) ?? 'fits');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', examine], { encoding: 'utf8' });
  t.match(stdout, /a\.cfg cannot be replaced: its folder is sticky, .*chmod -t/);
});

t.test('a mounted file is named by check and at start, and is written in place where configured', async (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder, 'etc'));
  const file = (name: string) => join(folder, name);
  writeFileSync(file('source'), 'first, and longer than the next\n');
  writeFileSync(file('etc/a.cfg'), '');
  writeFileSync(file('input'), 'second');
  writeFileSync(file('a.cfg.hbs'), `{{file "${file('input')}"}}\n`);
  const config = (more: string) =>
    `consul: { address: "127.0.0.1:9" }\napi: { listen: "127.0.0.1:0" }\ntemplates: [{ source: ./a.cfg.hbs, destination: ./etc/a.cfg, header: false, adopt: true${more} }]\n`;
  writeFileSync(file('c.yml'), config(''));
  writeFileSync(file('in-place.yml'), config(', inPlace: true, reload: ["true"]'));
  // One process for several commands: most of the time of a short one goes to its start.
  const commands = `
    const { runProgram } = await import('${join(root, 'cmd/program.ts')}');
    for (const words of process.argv.slice(2)) await runProgram(words.split(' '));`;
  writeFileSync(file('commands.mjs'), commands);
  const run = `${process.execPath} ${file('commands.mjs')}`;
  const [check, render] = ['check --online -c', 'render --once -c'];
  const { stdout } = inMounts(`
    mount --bind ${file('source')} ${file('etc/a.cfg')}
    cd ${folder}
    ${run} '${check} c.yml' '${render} c.yml' '${check} in-place.yml' '${render} in-place.yml' 2>&1
    mount -o remount,ro,bind ${file('etc/a.cfg')}
    ${run} '${check} in-place.yml' 2>&1`);
  const [checked, failed, fits, written, readOnly] = stdout.match(/^(file|failed|written) .*/gm) ?? [];
  t.match(checked, /^file .*a\.cfg cannot be replaced: .*mount its folder instead, or set inPlace: true/);
  t.match(failed, /^failed .*it is a mount point/);
  t.match(fits, /^file .*a\.cfg can be replaced$/);
  t.match(written, /^written /);
  t.match(readOnly, /a\.cfg cannot be replaced: .*cannot be written: the file system is read-only/);
  t.equal(readFileSync(file('source'), 'utf8'), 'second\n');
  t.equal(readFileSync(file('etc/.a.cfg.switchmaster.good'), 'utf8'), 'first, and longer than the next\n');
});

t.test('the daemon reports at its start a file that it could not replace', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'destinations' });
  const source = sandbox.write('a.cfg.hbs', '{{key "app/name"}}\n');
  const config = {
    consul: { address: '127.0.0.1:9' },
    templates: [{ source, destination: sandbox.path('gone/a.cfg') }],
  };
  const daemon = await sandbox.localDaemon({ config, ready: 'started' });
  const warned = () => JSON.stringify(daemon.logLines().map(({ details }) => details));
  t.match(await waitFor('the warning', warned, { until: (text) => text.includes('gone/a.cfg') }), /create it/);
});
