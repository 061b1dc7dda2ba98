import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, startRendering } from '../support/rendering.ts';

/* What lies beside a rendered file, or is looked up for it: a failure there is a warning, and the file follows. */

const sandbox = await Sandbox.openFor(t, { name: 'field-side-files' });
const consul = await sandbox.consul();

const state = '.a.conf.switchmaster.json';
const good = '.a.conf.switchmaster.good';

const obstacles: Readonly<Record<string, (folder: string) => void>> = {
  'folders in the place of the state and of the good copy': (folder) => {
    for (const name of [state, `${state}.new`, good]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, good, 'x'), '');
  },
  'pipes in the place of the state and of the good copy': (folder) => {
    for (const name of [state, `${state}.new`, good]) execFileSync('mkfifo', [join(folder, name)]);
  },
  'rubbish in the state': (folder) => writeFileSync(join(folder, state), '{"digest": 7, "members": [[]]}'),
};

t.test('no obstacle beside a file keeps it from following', async (t) => {
  for (const [what, place] of Object.entries(obstacles)) {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'a.conf'), 'older\n');
    place(folder);
    await consul.putKey('side/text', 'old');
    const specs = [{ template: '{{key "side/text"}}\n', reload: command('true'), owner: 'no-such-user' }];
    const rendering = startRendering(t, { consul, folder, specs });
    const read = () => readFileSync(join(folder, 'a.conf'), 'utf8');
    await waitFor(`the file, beside ${what}`, read, { until: (text) => text === 'old\n' });
    await consul.putKey('side/text', 'new');
    await waitFor(`the file to follow, beside ${what}`, read, { until: (text) => text === 'new\n' });
    await rendering.until('current');
    t.ok(
      rendering.reports.every(({ outcome }) => outcome.kind !== 'failed'),
      what,
    );
    const texts = JSON.stringify([rendering.state().warnings, rendering.reports.map(({ outcome }) => outcome)]);
    t.match(texts, 'The user \\"no-such-user\\" is not found on this machine');
    if (what.startsWith('folders')) {
      t.match(rendering.state().warnings, [/Cannot write .*a\.conf\.switchmaster\.json/]);
      t.match(texts, /Cannot keep the last good .*a\.conf/);
    }
    await rendering.stop();
  }
});
