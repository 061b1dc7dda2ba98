import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Links } from '../../sandbox/links.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { failOver, only, readRecord } from '../support/bridging.ts';
import { WindowBridges } from './bridges.ts';
import type { WindowCase } from './cases.ts';
import { Scene, type WindowResult } from './scene.ts';
import type { Moment } from './story.ts';
import { type Field, strikeAt, strikeFirst } from './strike.ts';

/*
 * A fault in the window of a failover, at a message of the leading Sentinel. Each round has a shard, three Sentinels and
 * two bridges of its own, each a process with an IP of its own. Afterwards everything runs again and settles, and the
 * history is checked.
 */

/** Where a round runs: in a network of its own. */
export interface Ground {
  readonly sandbox: Sandbox;
  readonly links: Links;
  /** The Consul agent of the bridges. */
  readonly consul: ConsulAgent;
  /** Consul's servers with Raft, if there are any. */
  readonly consulServers: readonly ConsulAgent[];
}

export async function runWindow(
  { sandbox, links, consul, consulServers }: Ground,
  { name, window }: { readonly name: string; readonly window: WindowCase },
): Promise<WindowResult> {
  const startedMs = performance.now();
  const program = (kind: string) => ({ program: `${window.edition}-${kind}` });
  const shard = await sandbox.redis({ name, replicas: window.replicas, ...program('server') });
  const sentinels = await sandbox.sentinels({
    name: `${name}-sentinel`,
    masters: [shard],
    failoverTimeoutMs: 3_000,
    // Otherwise Sentinel acts before the bridge beside the master knows that it is isolated, or that it crashed.
    ...(isForBridges(window) ? { downAfterMs: 5_000 } : {}),
    ...program('sentinel'),
  });
  const notes: Moment[] = [];
  const note = (who: string, what: string) => notes.push({ atMs: Date.now(), who, what });
  const bridges = new WindowBridges(sandbox, { consul, sentinels, shard, window });
  const recorders = await Promise.all(sentinels.map((sentinel) => sentinel.record()));
  const field: Field = {
    window,
    shard,
    sentinels,
    bridges: bridges.bridges,
    consul,
    consulServers,
    links,
    recorders,
    note,
  };
  const seen = new Scene(field, bridges);
  let problem: string | undefined;
  try {
    await bridges.start();
    await seen.begin();
    await beginAndStrike(field);
    await settle(field);
  } catch (error) {
    problem = String(error);
  }
  try {
    return { ...(await seen.end({ notes, problem })), tookMs: Math.round(performance.now() - startedMs) };
  } finally {
    await links.healAll();
    for (const recorder of recorders) recorder.close();
    bridges.close();
    const servers = [...bridges.bridges.map(({ server }) => server), ...sentinels, ...shard.servers];
    await Promise.all(servers.map((server) => server.kill()));
  }
}

/** Whether the bridges are to find out before Sentinel does. */
function isForBridges({ place, begin, onCrash }: WindowCase): boolean {
  return begin === 'isolated' ? place === 'beside' : begin === 'kill -9' && onCrash === 'failover';
}

async function beginAndStrike(field: Field): Promise<void> {
  if (field.window.moment === 'the beginning') {
    await beginFailover(field);
    return strikeFirst(field);
  }
  const struck = strikeAt(field);
  await beginFailover(field);
  await struck;
}

async function beginFailover({ window, shard, sentinels, bridges, links, consul, note }: Field): Promise<void> {
  note('failover', window.begin);
  if (window.begin === 'kill -9') return shard.master.kill();
  if (window.begin === 'ordered') return failOver(only(sentinels), shard.name);
  const servers = [...sentinels, ...shard.replicas].map(({ address }) => address.host);
  const others = window.isolatedFor === 'servers' ? [] : bridges.map(({ host }) => host);
  const everybody = window.isolatedFor === 'everybody' ? [consul.http.host] : [];
  const cut = { from: [shard.master.address.host], to: [...servers, ...others, ...everybody] } as const;
  await links.cut({ ...cut, direction: 'both', manner: 'drop' });
}

/** Waits until everything runs again and the Sentinels, the nodes and the record agree. */
async function settle(field: Field): Promise<Address> {
  const { window, shard, sentinels, consul, consulServers, bridges, recorders, links } = field;
  await links.healAll();
  for (const sentinel of sentinels.filter(({ running }) => !running)) {
    await sentinel.start();
    recorders.push(await sentinel.record());
  }
  const stopped = [...shard.replicas, ...consulServers, ...bridges.map(({ server }) => server)];
  await Promise.all(stopped.filter(({ running }) => !running).map((server) => server.start()));
  if (!shard.master.running) {
    if (window.oldMaster === 'back last') await anotherMaster(field);
    await shard.master.start();
  }
  // With Sentinel's own periods for ten seconds: it makes a node a replica again after four times the period of its hello
  // messages.
  await waitFor('the confirmation', () => readRecord(consul, shard.name), {
    until: (record) => record?.phase === 'confirmed' && record.epoch > 0,
    timeoutMs: 10_000,
    intervalMs: 100,
  }).catch(() => undefined);
  await readOften(sentinels);
  const look = async () => {
    const infos = await Promise.all(sentinels.map((sentinel) => sentinel.masterInfo(shard.name)));
    const record = await readRecord(consul, shard.name);
    const roles = await Promise.all(
      shard.servers.map(async (server) => `${server.address.host} ${await server.role()}`),
    );
    const views = infos.map((info) => `${info.ip}:${info.port}@${info['config-epoch']} ${info.flags}`);
    return { views, roles, record };
  };
  const isCalm = ({ views, roles, record }: Awaited<ReturnType<typeof look>>) =>
    record?.phase === 'confirmed' &&
    views.every((view) => view === `${formatAddress(record.master)}@${record.epoch} master`) &&
    roles.every((role) => role.endsWith(role.startsWith(`${record.master.host} `) ? ' master' : ' replica'));
  const { record } = await waitFor(`${shard.name} to come to rest`, look, {
    until: isCalm,
    timeoutMs: 90_000,
    intervalMs: 100,
  });
  if (record === undefined) throw new Error('there is no record');
  return record.master;
}

/** Waits until the record has another master than the dead one. If none comes, the end of the round judges that. */
async function anotherMaster({ shard, consul }: Field): Promise<void> {
  const dead = formatAddress(shard.master.address);
  await waitFor('another master', () => readRecord(consul, shard.name), {
    until: (record) => record?.phase === 'confirmed' && formatAddress(record.master) !== dead,
    timeoutMs: 25_000,
    intervalMs: 100,
  }).catch(() => undefined);
}

/** After the round, Sentinel need not take its ten seconds. During a failover it reads INFO each second anyway. */
async function readOften(sentinels: readonly SentinelServer[]): Promise<void> {
  const settings = ['info-period', 300, 'publish-period', 300] as const;
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', ...settings)));
}
