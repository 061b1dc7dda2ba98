import { createHash, randomBytes } from 'node:crypto';
import { type InfoFields, readInfo, readVersion } from '../../client/instance-shapes.ts';
import { RedisLink } from '../../client/redis.ts';
import { probeRights } from '../../client/redis-pool.ts';
import { fenceProbes, type RefusedCommand } from '../../client/refused-commands.ts';
import { readFields } from '../../client/sentinel-shapes.ts';
import type { SentinelConfig } from '../../config/model.ts';
import { revealAccess } from '../../config/reveal.ts';
import { type Address, distinctAddresses, formatAddress, toAddress } from '../../model/address.ts';
import { isNamed, linkFaults } from '../../model/link-fault.ts';
import type { ExaminedClock, ExaminedMaster, ExaminedRedis, RedisSettings, SentinelOpinion } from '../examination.ts';
import { compareClocks } from './clock.ts';

const timeoutMs = 2_000;

/** Salts the hashes of passwords, so that they compare within this process only. */
const salt = randomBytes(16);

/** Examines every Redis that a Sentinel names, and its clock. */
export async function examineInstances(
  config: SentinelConfig | undefined,
  opinions: ReadonlyMap<string, readonly SentinelOpinion[]>,
): Promise<{ readonly masters: readonly ExaminedMaster[]; readonly clocks: readonly ExaminedClock[] }> {
  const clocks: ExaminedClock[] = [];
  const masters = await Promise.all(
    [...opinions].map(async ([name, views]): Promise<ExaminedMaster> => {
      const instances = await Promise.all(
        rolesOf(views).map(async (wanted) => {
          const { instance, clock } = await examineInstance(config, wanted);
          if (clock !== undefined) clocks.push(clock);
          return instance;
        }),
      );
      return { name, opinions: views, instances };
    }),
  );
  return { masters: masters.toSorted((a, b) => (a.name < b.name ? -1 : 1)), clocks };
}

type Wanted = Pick<ExaminedRedis, 'address' | 'expected'>;

/** Every instance that a Sentinel names. The master is the one that most Sentinels name. */
function rolesOf(opinions: readonly SentinelOpinion[]): readonly Wanted[] {
  const votes = Map.groupBy(opinions, ({ master }) => formatAddress(master));
  const [most] = [...votes].toSorted(([, a], [, b]) => b.length - a.length);
  const all = opinions.flatMap(({ master, replicas }) => [master, ...replicas.map(({ address }) => address)]);
  return distinctAddresses(all).map((address) => {
    return { address, expected: formatAddress(address) === most?.[0] ? 'master' : 'replica' };
  });
}

async function examineInstance(
  config: SentinelConfig | undefined,
  wanted: Wanted,
): Promise<{ readonly instance: ExaminedRedis; readonly clock: ExaminedClock | undefined }> {
  const link = new RedisLink(wanted.address, revealAccess(config?.redis ?? {}));
  try {
    const info = readInfo(await link.call(['INFO'], { timeoutMs }));
    const settings = await readSettings(link);
    const instance: ExaminedRedis = {
      ...wanted,
      ...readState(info),
      state: { kind: 'reached' },
      ...(settings === undefined ? {} : { settings }),
      limits: await readLimits(link, config),
    };
    return { instance, clock: await readClock(link) };
  } catch (thrown) {
    return { instance: await examineRole(link, { wanted, thrown }), clock: undefined };
  } finally {
    link.close();
  }
}

/** The commands of the fence that the server refuses. */
async function readLimits(link: RedisLink, config: SentinelConfig | undefined): Promise<readonly RefusedCommand[]> {
  const probes = fenceProbes[config?.fence ?? 'none'];
  if (probes.length > 0) await probeRights(link, probes).catch(() => undefined);
  return link.refusedCommands;
}

/** Without INFO. Like the bridge, it takes a server for one that refuses access where the login or ROLE is refused. */
async function examineRole(
  link: RedisLink,
  { wanted, thrown }: { readonly wanted: Wanted; readonly thrown: unknown },
): Promise<ExaminedRedis> {
  const error = await link.explain(thrown);
  const { fault } = link;
  const row = fault !== undefined && isNamed(fault) ? linkFaults[fault] : undefined;
  const hint = row === undefined ? {} : { hint: row.hint };
  const { role } = error.code === 'redis-denied' ? await link.role({ timeoutMs }) : { role: 'unreachable' as const };
  if (link.refusal !== undefined) return { ...wanted, state: { kind: 'denied', why: link.refusal, ...hint } };
  if (role === 'master' || role === 'replica')
    return { ...wanted, state: { kind: 'reached' }, role, limits: link.refusedCommands };
  return { ...wanted, state: { kind: 'unreachable', why: row?.says ?? error.message, ...hint } };
}

function readState(info: InfoFields): Partial<ExaminedRedis> {
  const role = info.get('role');
  const follows = toAddress(info.get('master_host'), info.get('master_port'));
  const link = info.get('master_link_status');
  const syncing = info.get('master_sync_in_progress') === '1';
  const file = info.get('config_file');
  return {
    ...(role === undefined ? {} : { role: role === 'master' ? 'master' : 'replica' }),
    runId: info.get('run_id') ?? '',
    version: readVersion(info),
    ...(follows === undefined ? {} : { follows }),
    ...(link === undefined ? {} : { link: link === 'up' ? 'up' : syncing ? 'syncing' : 'down' }),
    ...(file === undefined ? {} : { configFile: file === '' ? 'none' : 'kept' }),
    saveFailed: info.get('rdb_last_bgsave_status') === 'err' || info.get('aof_last_write_status') === 'err',
  };
}

const names = [
  'requirepass',
  'masterauth',
  'masteruser',
  'replica-priority',
  'min-replicas-to-write',
  'replica-read-only',
  'maxmemory',
  'save',
  'appendonly',
] as const;

/** Returns undefined if CONFIG is not permitted. Redis before 7.0 takes one name in each CONFIG GET. */
async function readSettings(link: RedisLink): Promise<RedisSettings | undefined> {
  try {
    const values = new Map(
      await Promise.all(
        names.map(async (name) => {
          const fields = readFields(await link.call(['CONFIG', 'GET', name], { timeoutMs }), `CONFIG GET ${name}`);
          return [name, fields[name]] as const;
        }),
      ),
    );
    const count = (name: (typeof names)[number]): number | undefined => {
      const value = Number(values.get(name) ?? Number.NaN);
      return Number.isSafeInteger(value) ? value : undefined;
    };
    const readOnly = values.get('replica-read-only');
    const [save, append] = [values.get('save'), values.get('appendonly')];
    return {
      requirepassHash: hash(values.get('requirepass')),
      masterauthHash: hash(values.get('masterauth')),
      hasMasterUser: (values.get('masteruser') ?? '') !== '',
      priority: count('replica-priority'),
      minReplicasToWrite: count('min-replicas-to-write'),
      readOnly: readOnly === undefined ? undefined : readOnly === 'yes',
      maxMemory: count('maxmemory'),
      persists: save === undefined || append === undefined ? undefined : save !== '' || append === 'yes',
    };
  } catch {
    return undefined;
  }
}

function hash(secret: string | undefined): string | undefined {
  if (secret === undefined || secret === '') return undefined;
  return createHash('sha256').update(salt).update(secret).digest('base64');
}

async function readClock(
  link: { readonly address: Address } & Pick<RedisLink, 'call'>,
): Promise<ExaminedClock | undefined> {
  const sentMs = Date.now();
  const reply = await link.call(['TIME'], { timeoutMs }).catch(() => undefined);
  const receivedMs = Date.now();
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : [];
  const theirsMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
  return compareClocks(formatAddress(link.address), { theirsMs, resolutionMs: 1, sentMs, receivedMs });
}
