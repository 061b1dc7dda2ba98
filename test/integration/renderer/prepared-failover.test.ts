import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { LocalDaemon } from '../../sandbox/local-daemon.ts';
import { haproxyTemplate, twemproxyTemplate } from '../../sandbox/proxy-templates.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only } from '../support/bridging.ts';

/* A failover of real servers: what the daemon prepares between the selection of the replica and its promotion. */
const sandbox = await Sandbox.openFor(t, { name: 'prepared-failover' });

async function start(name: string) {
  const [consul, shard, twemproxy, haproxy] = await Promise.all([
    sandbox.consul({ name: `${name}-consul` }),
    sandbox.redis({ name }),
    sandbox.address(),
    sandbox.address(),
  ]);
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard] });
  const files = { twemproxy: sandbox.path(`${name}-nutcracker.yml`), haproxy: sandbox.path(`${name}-haproxy.cfg`) };
  const socket = sandbox.path(`${name}.sock`);
  const proxies = {
    twemproxy: await sandbox.nutcracker({
      name: `${name}-nutcracker`,
      configFile: files.twemproxy,
      listen: twemproxy,
      start: 'later',
    }),
    haproxy: await sandbox.haproxy({ name: `${name}-haproxy`, configFile: files.haproxy, start: 'later' }),
  };
  const config = (follow: string) => ({
    consul: { address: consul.url },
    log: { level: 'debug' },
    sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: [name], follow },
    templates: [
      haproxyTemplate({
        destination: files.haproxy,
        socket,
        reloadCommand: proxies.haproxy.reloadCommand,
        listeners: { bind: haproxy.host, ports: { [name]: haproxy.port } },
      }),
      twemproxyTemplate({
        destination: files.twemproxy,
        restartCommand: proxies.twemproxy.restartCommand,
        listen: twemproxy,
      }),
    ],
  });
  return { name, consul, shard, sentinels, files, config };
}

/** `details.prepared` of the runs of each template so far. */
function preparedOf(daemon: LocalDaemon) {
  return daemon
    .logLines()
    .filter(({ loop }) => loop === 'renderer')
    .flatMap(({ key, details }) => {
      const { prepared } = (details ?? {}) as { readonly prepared?: string };
      return prepared === undefined ? [] : [`${key} ${prepared}`];
    });
}

async function untilMoved({ shard, files }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const address = formatAddress(only(shard.replicas).address);
  for (const file of Object.values(files)) {
    const text = () => readFileSync(file, 'utf8');
    await waitFor(file, text, { until: (now) => now.includes(address) });
  }
}

/** A template that is reconciled is not prepared. */
async function untilCurrent(daemon: LocalDaemon): Promise<void> {
  await waitFor('every template to be current', () => daemon.get('/v1/templates'), {
    until: ({ body }) =>
      (body as { templates: { state: string }[] }).templates.every(({ state }) => state === 'current'),
  });
}

/** Prepared files that were not removed. */
function candidates(): readonly string[] {
  return readdirSync(sandbox.folder).filter((file) => file.includes('.switchmaster-'));
}

t.test('both files are ready before a failover is announced, and replace the former ones', async (t) => {
  const scene = await start('announced');
  const daemon = await sandbox.localDaemon({ name: 'announced-daemon', config: scene.config('announcement') });
  await untilCurrent(daemon);
  await failOver(only(scene.sentinels), scene.name);
  await untilMoved(scene);
  await untilCurrent(daemon);
  for (const file of ['haproxy.cfg', 'nutcracker.yml']) {
    const results = () => preparedOf(daemon).flatMap((one) => one.split(`announced-${file} `).slice(1));
    await waitFor(`the report of ${file}`, () => results().at(-1) !== 'ready');
    // On a machine so busy that a second is not enough, the change of master interrupts what prepares a file, or comes first.
    t.match(results().join(), /^(ready,used|none|)$/);
  }
  await waitFor('no candidate', () => candidates().length === 0);
  await daemon.stop();
});

t.test('a failover whose promotion may come before the files are ready leaves nothing behind', async (t) => {
  const scene = await start('promoted');
  const daemon = await sandbox.localDaemon({ name: 'promoted-daemon', config: scene.config('promotion') });
  await untilCurrent(daemon);
  await failOver(only(scene.sentinels), scene.name);
  await untilMoved(scene);
  await untilCurrent(daemon);
  await waitFor('no candidate', () => candidates().length === 0);
  // On a busy machine, the change of master interrupts what prepares a file, and takes every step.
  t.comment(preparedOf(daemon).join(', '));
  await daemon.stop();
});
