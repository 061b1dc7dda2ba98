import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, sh, startRendering } from '../support/rendering.ts';

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

t.test('no obstacle beside a file stops its updates', async (t) => {
  for (const [what, place] of Object.entries(obstacles)) {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'a.conf'), 'older\n');
    place(folder);
    await consul.putKey('side/text', 'old');
    const specs = [
      { template: '{{key "side/text"}}\n', reload: command('true'), owner: 'no-such-user', takeover: 'adopt' } as const,
    ];
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

t.test('a socket of HAProxy that is missing, left over, or has another program behind it stops no file', async (t) => {
  const folder = makeFolder(t);
  const at = (name: string) => join(folder, name);
  const leave = `require('node:net').createServer().listen(${JSON.stringify(at('left'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  for (const name of ['other', 'silent']) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (name === 'other') socket.end('-ERR unknown command\r\n');
    }).listen(at(name));
    await once(server, 'listening');
    t.teardown(() => server.close());
  }
  for (const name of ['none', 'left', 'other', 'silent']) {
    const move = (host: string, epoch: number) => putRecord(consul, { name, master: { host, port: 6379 }, epoch });
    await move('10.0.0.1', 1);
    const spec = {
      ...{ name, template: 'haproxy.cfg.hbs', destination: at(`${name}.cfg`) },
      vars: { stats_socket: at(name), ports: { [name]: 16379 } },
      reload: {
        kind: 'haproxy',
        socket: at(name),
        master: at(name),
        fallback: { argv: sh(`cp ${at(`${name}.cfg`)} ${at(`${name}.loaded`)}`) },
      },
    } as const;
    const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
    const loaded = (host: string) =>
      waitFor(`${name} to be loaded with ${host}`, () => readFileSync(at(`${name}.loaded`), 'utf8'), {
        until: (text) => text.includes(`server master ${host}:6379`),
        timeoutMs: 40_000,
      });
    await loaded('10.0.0.1');
    await move('10.0.0.2', 2);
    await loaded('10.0.0.2');
    await rendering.stop();
    t.pass(name);
  }
});

t.test(
  'a daemon holds the takeover of a foreign file until it is approved, and owns the file from then on',
  async (t) => {
    const folder = makeFolder(t);
    const file = join(folder, 'own.json');
    const read = () => readFileSync(file, 'utf8');
    writeFileSync(file, '{"by": "hand"}');
    await consul.putKey('own/text', 'one');
    // JSON has no comments: the state alone says whose the file is. The reload fails, so no text of it ever takes effect.
    const reload = command('false');
    const specs = [
      { name: 'own.json', template: '{"a": {{toJSON (key "own/text")}} }\n', reload, header: 'line' as const },
    ];
    const first = startRendering(t, { consul, folder, specs });
    await first.until('held');
    t.match(first.state().lastOutcome, { kind: 'held', details: { guard: 'foreign-file' } });
    await consul.putKey('own/text', 'two');
    await waitFor('the new text to be held', () => first.part.renderer.rendered('own.json'), {
      until: (text) => text === '{"a": "two" }\n',
    });
    t.equal(read(), '{"by": "hand"}');
    first.part.renderer.approve('own.json');
    const kept = () => readdirSync(folder).filter((name) => name.startsWith('own.json.before-switchmaster-'));
    const copies = () => kept().map((name) => readFileSync(join(folder, name), 'utf8'));
    await waitFor('the copy', copies, { until: ([text, ...more]) => text === '{"by": "hand"}' && more.length === 0 });
    await waitFor('the reload to fail', () => first.state(), {
      until: ({ state }) => state === 'failed' || state === 'refused',
    });
    await first.stop();
    await consul.putKey('own/text', 'three');
    const second = startRendering(t, {
      consul,
      folder,
      specs: specs.map((spec) => ({ ...spec, reload: command('true') })),
    });
    await waitFor('the file to follow', read, { until: (text) => text === '{"a": "three" }\n' });
    await second.until('current');
    t.equal(kept().length, 1);
  },
);
