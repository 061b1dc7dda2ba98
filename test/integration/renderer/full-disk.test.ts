import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { programFile } from '../../runner/environment.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'full-disk' });

t.test('a disk that is full keeps the old file to the byte, leaves no candidate, and is reported', async (t) => {
  const folder = makeFolder(t);
  const etc = join(folder, 'etc');
  mkdirSync(etc);
  const input = join(folder, 'input');
  writeFileSync(join(folder, 'a.conf.hbs'), `{{file "${input}"}}\n`);
  const config = join(folder, 'c.yml');
  writeFileSync(
    config,
    'templates: [{ source: ./a.conf.hbs, destination: ./etc/a.conf, header: false, reload: ["true"] }]\n',
  );
  const program = programFile();
  // A disk of four pages that only this shell sees. If that is not permitted, files may not grow.
  const script = `
    [ "$1" = mount ] && mount -t tmpfs -o size=32k tmpfs ${etc}
    render() { ${process.execPath} ${program} render --once -c ${config} 2>&1; echo "exit $?"; }
    printf old > ${input}
    render
    yes a | tr -d '\\n' | head -c 20000 > ${input}
    if [ "$1" = mount ]; then cat /dev/zero > ${etc}/filler; render; rm ${etc}/filler
    else (ulimit -f 1; render); fi
    echo "holds $(cat ${etc}/a.conf)"
    ls -A ${etc}
    render
    wc -c < ${etc}/a.conf
  `;
  const run = (...argv: string[]) => spawnSync(argv[0] ?? '', argv.slice(1), { env: sandbox.env, encoding: 'utf8' });
  const spaces = [
    ['unshare', '-m'],
    ['unshare', '-rm'],
  ];
  const space = spaces.find((words) => run(...words, 'mount', '-t', 'tmpfs', 'tmpfs', etc).status === 0);
  t.comment(
    space === undefined ? 'no mounts are permitted here' : `in a mount namespace of its own: ${space.join(' ')}`,
  );
  const { stdout } = run(...(space ?? []), '/bin/sh', '-c', script, 'sh', space === undefined ? 'limit' : 'mount');
  const [first = '', full = '', after = '', end = ''] = stdout.split(/^exit /m);
  t.match(first, /^written /);
  t.match(full, /^0\nfailed .*a\.conf cannot be written: (?:the disk is full|EFBIG)/);
  t.match(after, /^1\nholds old\n/);
  const beside = after.split('\n').filter((line) => /^[.\w]+$/.test(line) && line !== '1');
  t.same(beside.sort(), ['.a.conf.switchmaster.json', 'a.conf']);
  t.match(after, /^written /m);
  t.equal(end, '0\n20001\n');
  // The mount went with its namespace.
  t.equal(readdirSync(etc).length, space === undefined ? 3 : 0);
});
