import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { nowMs } from '../../sandbox/recorder.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { otherEditions } from '../support/editions.ts';
import { lostDespitePauses } from '../support/pauses.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

// Each test has a shard, Sentinels and bridges of its own, because most of them stop some of these.
const sandbox = await Sandbox.openFor(t, { name: 'promotion' });

const editions = ['redis', ...otherEditions];

async function start(name: string, edition = 'redis') {
  const program = (kind: string) => (edition === 'redis' ? {} : { program: `${edition}-${kind}` });
  const [consul, shard] = await Promise.all([
    sandbox.consul({ name: `${name}-consul` }),
    sandbox.redis({ name, ...program('server') }),
  ]);
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard], ...program('sentinel') });
  return { name, consul, shard, sentinels, replica: only(shard.replicas) };
}

t.test('a promotion', { jobs: 3 }, async (t) => {
  for (const edition of editions) {
    t.test(
      `is in the record before any Sentinel announces it, and confirmed when a majority has, on ${edition}`,
      async (t) => {
        const { name, consul, shard, sentinels, replica } = await start(`early-${edition}`, edition);
        const bridge = startBridge(t, { consul, sentinels });
        await recordOf(consul, name);
        const recorders = await Promise.all(sentinels.map((sentinel) => sentinel.record()));
        // A client that follows nothing and stays where it is.
        const stayer = new NumberWriter({
          name,
          key: 'w',
          pauseMs: 5,
          client: persistentClient(() => shard.master.address),
        });
        t.teardown(() => stayer.stop());
        await waitFor('its writes on the replica', () => replica.command('SCARD', 'w'), {
          until: (size) => Number(size) > 20,
        });
        await failOver(only(sentinels), name);
        const promoted = await waitFor('the decision', () => bridge.decisions[0]);
        const announced = await Promise.all(recorders.map((recorder) => recorder.event('+switch-master')));
        const firstMs = Math.min(...announced.map(({ atMs }) => atMs));
        const committed = await waitFor('the write', () =>
          bridge.reports.find(({ outcome }) => outcome.kind === 'applied' && outcome.details?.cause === 'failover'),
        );
        const writtenMs = performance.timeOrigin + (committed?.startedMs ?? 0) + (committed?.durationMs ?? 0);
        t.comment(`published ${Math.round(firstMs - writtenMs)} ms before the first announcement`);
        const written = committed?.outcome.kind === 'applied' ? committed.outcome.details?.record : undefined;
        t.match(written, { phase: 'promoted', master: replica.address }, 'published before most have announced it');
        t.match(promoted, {
          phase: 'promoted',
          generation: 1,
          epoch: 1,
          previous: shard.master.address,
          replicas: [shard.master.address],
        });
        const confirmed = await recordOf(consul, name, { master: replica });
        t.match(confirmed, { generation: 1, epoch: 1, changedAt: promoted?.changedAt });
        await waitFor('the old master to follow', () => shard.master.role(), { until: (role) => role === 'replica' });
        // A pause that ends before the demotion is renewed.
        const fences = () => [...new Set(bridge.fences.map(({ action, address }) => `${action} ${address}`))];
        await waitFor('all fences to be reported', () => fences().length >= 4);
        t.strictSame(
          fences(),
          ['pause-before-promotion', 'pause', 'disconnect', 'demote'].map(
            (action) => `${action} ${formatAddress(shard.master.address)}`,
          ),
        );
        await stayer.stop();
        const { lost, of } = await lostDespitePauses(stayer, { master: replica.address, fences: bridge.fences });
        t.strictSame(lost, [], `of ${of} acknowledged since its writes waited, none is lost`);
        for (const recorder of recorders) recorder.close();
      },
    );
  }

  t.test('moves the traffic of this node and pauses the old master while Consul hangs', async (t) => {
    const { name, consul, shard, sentinels, replica } = await start('hang');
    const bridge = startBridge(t, { consul, sentinels });
    await recordOf(consul, name);
    const recorder = await only(sentinels).record();
    recorder.onEvent = ({ channel }) => {
      if (channel === '+try-failover') consul.pause();
    };
    await failOver(only(sentinels), name);
    const decided = await waitFor('the decision', () => bridge.decisions[0]);
    await waitFor('the pause', () => bridge.fences.some(({ action }) => action === 'pause'));
    t.match(decided, { master: replica.address, epoch: 1, phase: 'promoted' });
    consul.resume();
    await recordOf(consul, name, { master: replica });
    t.strictSame((await readRecord(consul, name))?.previous, shard.master.address);
    recorder.close();
  });

  t.test('reaches HAProxy while Consul is dead', async (t) => {
    const { name, consul, shard, sentinels, replica } = await start('blind');
    const listen = await sandbox.address();
    const [configFile, socket] = [sandbox.path('blind.cfg'), sandbox.path('blind.sock')];
    const haproxy = await sandbox.haproxy({ configFile, listen, start: 'later' });
    await sandbox.localDaemon({
      config: {
        consul: { address: consul.url },
        sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)) },
        templates: [
          {
            source: 'haproxy.cfg.hbs',
            destination: configFile,
            check: ['haproxy', '-c', '-f', '{{file}}'],
            reload: { haproxy: { socket, fallback: haproxy.reloadCommand } },
            vars: { stats_socket: socket, bind: listen.host, ports: { [name]: listen.port } },
          },
        ],
      },
    });
    const writer = new NumberWriter({ name, key: 'w', pauseMs: 5, client: persistentClient(() => listen) });
    t.teardown(() => writer.stop());
    await waitFor('writes through HAProxy', () => writer.acknowledged.size, { until: (size) => size > 20 });
    await consul.kill();
    const killedMs = nowMs();
    await shard.master.kill();
    await waitFor('a write on the new master', () => writer.firstAfter(killedMs + 500), { timeoutMs: 60_000 });
    t.equal(await replica.role(), 'master');
    await writer.stop();
    t.strictSame((await writer.lostAt(replica.address, killedMs)).lost, []);
  });

  t.test('is followed by the demotion of a former master as soon as it returns', async (t) => {
    const { name, consul, shard, sentinels, replica } = await start('returning');
    const bridge = startBridge(t, { consul, sentinels });
    await recordOf(consul, name);
    await shard.master.kill();
    await recordOf(consul, name, { master: replica });
    await shard.master.start();
    await waitFor('it to follow', () => shard.master.role(), { until: (role) => role === 'replica' });
    // Sentinel itself waits for eight seconds.
    await waitFor('the report of the demotion', () =>
      bridge.fences.some(({ action, outcome }) => action === 'demote' && outcome === 'applied'),
    );
    t.strictSame(((await shard.master.command('ROLE')) as unknown[]).slice(1, 3), [
      replica.address.host,
      replica.address.port,
    ]);
  });
});
