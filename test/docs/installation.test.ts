import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { codesIn, projectDir, proseOf, readPage, readPages, sectionOf } from './pages.ts';

/* `npm run test:deb`, `test:package` and `test:newcomer` install switchmaster. This compares what the pages say about files and rights. */

t.test('every file of the project that a page names exists', async (t) => {
  const pages = (await readPages()).filter(({ file }) => file !== 'CHANGELOG.md');
  const named = pages.flatMap((page) =>
    codesIn(proseOf(page).replaceAll('\n', ' '))
      .filter((code) => /^(?:deploy|docs|lib|packaging|setup|templates|test)\/[\w./-]+$/.test(code))
      // A file of redis-twemproxy-agent.
      .filter((code) => code !== 'lib/cli.js')
      .map((code) => ({ file: page.file, code })),
  );
  t.ok(named.length > 50, `${named.length} paths`);
  for (const { file, code } of named) t.ok(existsSync(join(projectDir, code)), `${file}: ${code}`);
});

t.test('the page on the installation has the capabilities, the folders and the times of the unit', async (t) => {
  const { text: unit } = await readPage('deploy/systemd/switchmaster.service');
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]?.split(' ') ?? [];
  const { text } = await readPage('docs/guide/install.md');
  const rights = sectionOf(text, 'What the unit may do') ?? '';
  const rows = rights.split('\n').filter((line) => line.startsWith('| `CAP_'));
  t.strictSame(rows.flatMap((row) => row.match(/CAP_[A-Z_]+/g) ?? []).sort(), setting('CapabilityBoundingSet').sort());
  t.strictSame(setting('AmbientCapabilities').sort(), setting('CapabilityBoundingSet').sort());
  const folders = /It can write only in ([^.]*?) and its own/.exec(rights.replaceAll('\n', ' '))?.[1] ?? '';
  t.strictSame(
    codesIn(folders),
    setting('ReadWritePaths').map((path) => path.replace(/^-/, '')),
  );
  const known = sectionOf(text, 'What systemd knows') ?? '';
  t.match(known, `${setting('WatchdogSec')[0]} s (\`WatchdogSec=\`)`);
  t.match(known, `exit code ${setting('RestartPreventExitStatus')[0]}`);
  t.match(known, `Type=${setting('Type')[0]}`);
});
