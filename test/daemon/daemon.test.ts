import { writeFileSync } from 'node:fs';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import { Daemon } from '../../lib/daemon/daemon.ts';
import { makeLog } from '../../lib/telemetry/log.ts';

const folder = t.testdir();

async function load(name: string) {
  const path = `${folder}/c.yml`;
  writeFileSync(path, `api: { listen: "127.0.0.1:0", tokenFile: ${name} }\nconsul: { address: "127.0.0.1:9" }\n`);
  writeFileSync(`${folder}/${name}`, name);
  return loadConfig({ paths: [path], environment: {} });
}

async function startDaemon() {
  const lines: { readonly msg: string; readonly url?: string }[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = makeLog({ level: 'info', format: 'json', stream });
  const daemon = new Daemon({ config: await load('one'), log, version: '0' });
  await daemon.start();
  return { daemon, lines };
}

t.test('a stop waits for the reload under way, and stops what that started', async (t) => {
  const { daemon, lines } = await startDaemon();
  const reloaded = daemon.reload(await load('two'));
  await Promise.all([reloaded, daemon.stop()]);
  t.equal(lines.at(-1)?.msg, 'stopped');
  t.ok(
    lines.some(({ msg }) => msg === 'config reloaded'),
    'the reload was under way',
  );
  for (const { url } of lines) if (url !== undefined) await t.rejects(fetch(`${url}/live`), url);
});

t.test('no reload begins after a stop', async (t) => {
  const { daemon, lines } = await startDaemon();
  const config = await load('two');
  const stopped = daemon.stop();
  await Promise.all([stopped, daemon.reload(config)]);
  await daemon.reload(config);
  t.equal(lines.at(-1)?.msg, 'stopped');
  t.notOk(lines.some(({ msg }) => msg === 'config reloaded'));
  for (const { url } of lines) if (url !== undefined) await t.rejects(fetch(`${url}/live`), url);
});
