import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { makeDebianRoot } from '../sandbox/debian-root.ts';

/*
 * `npm run test:newcomer`: the README's first commands, word for word, in a clean Debian with Node, npm and git alone. SUITES names the
 * Debians. The tests themselves take long: TESTS=setup only sets them up.
 */

const suites = (process.env.SUITES ?? 'bookworm,trixie').split(',') as ('bookworm' | 'trixie')[];
const root = path.resolve(import.meta.dirname, '../..');
const hourMs = 3_600_000;

/** The commands in the first block of "See it". */
async function readCommands(): Promise<readonly string[]> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const [, block = ''] = /^## See it\n[\s\S]*?```\n([\s\S]*?)```/m.exec(readme) ?? [];
  return block.split('\n').flatMap((line) => line.replace(/#.*/, '').trim() || []);
}

/** A command as it is, or the part of `npm test` before the tests. */
async function shortened(command: string): Promise<string> {
  if (command !== 'npm test' || process.env.TESTS !== 'setup') return command;
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return scripts.test.replace(/;[^;]*$/, '');
}

const commands = await readCommands();
t.strictSame(commands, ['npm run demo', 'npm test'], 'the README gives these commands');

for (const suite of suites) {
  t.test(`in a clean Debian ${suite} with its own Node, npm and git, the commands of the README work`, async (t) => {
    const debian = await makeDebianRoot({ suite, packages: ['ca-certificates', 'git', 'nodejs', 'npm'] });
    t.teardown(() => debian.close());
    await execa('git', ['bundle', 'create', path.join(debian.folder, 'root/clone'), 'HEAD'], { cwd: root, all: true });
    await debian.run(['git', 'clone', '--quiet', '/root/clone', '/root/switchmaster']);
    for (const command of commands) {
      const text = await debian.run(['sh', '-c', await shortened(command)], {
        cwd: '/root/switchmaster',
        timeoutMs: hourMs,
      });
      t.pass(`${command}\n${text.split('\n').slice(-5).join('\n')}`);
    }
  });
}
