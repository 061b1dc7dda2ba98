import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../cmd/command.ts';
import { Certificates } from '../../sandbox/certificates.ts';
import { readPages } from '../pages.ts';
import { guides } from './guides.ts';
import { stepsOf } from './steps.ts';

/* Follows only the files of the guides: after each one that is a config, `check` must call the machine's config good. */

const etc = '/etc/switchmaster/';

/** The files and the keys that a config names by path, and that a guide makes by commands, get a content that can be used. */
function writeNamed(folder: string, text: string, authority: () => Certificates): void {
  for (const [, key = '', file = ''] of text.matchAll(/(\w+File|caFile): (\S+?)[\s},]/g))
    if (file.startsWith(folder) && !/^(?:cert|key|ca|clientCa)File$/.test(key)) writeFileSync(file, 'secret');
  const certFile = /certFile: (\S+)/.exec(text)?.[1];
  if (certFile === undefined) return;
  mkdirSync(dirname(certFile), { recursive: true });
  const { cert, key } = authority().issue('redis-1');
  writeFileSync(certFile, cert);
  writeFileSync(/keyFile: (\S+)/.exec(text)?.[1] ?? '', key);
  writeFileSync(/clientCaFile: (\S+)/.exec(text)?.[1] ?? '', authority().ca);
}

t.test('after each step that writes a config, the config of the machine is good', async (t) => {
  const folder = t.testdir({});
  let made: Certificates | undefined;
  const authority = () => {
    made ??= new Certificates(join(folder, 'authority'));
    return made;
  };
  let checked = 0;
  for (const page of (await readPages()).filter(({ file }) => guides.some((guide) => guide.page === file))) {
    const root = join(folder, 'machines');
    rmSync(root, { recursive: true, force: true });
    for (const step of stepsOf(page)) {
      if (step.kind !== 'file' || !step.path.startsWith(etc)) continue;
      for (const machine of step.machines.length === 0 ? ['first'] : step.machines) {
        const config = join(root, machine, '');
        const file = join(config, step.path.slice(etc.length));
        mkdirSync(dirname(file), { recursive: true });
        const text = step.content.replaceAll(etc, `${config}/`);
        writeFileSync(file, text);
        if (!file.endsWith('.yml')) continue;
        writeNamed(config, text, authority);
        // A guide copies files that exist on the machine.
        for (const [, source = ''] of text.matchAll(/source: (templates\/\S+)/g)) {
          mkdirSync(join(config, 'templates'), { recursive: true });
          writeFileSync(join(config, source), '');
        }
        const { code, stdout, stderr } = await runCommand(['check', '--config-only', '--config', config]);
        t.equal(code, 0, `${page.file}:${step.line}: ${stdout}${stderr}`);
        checked += 1;
      }
    }
  }
  t.ok(checked > 20);
});
