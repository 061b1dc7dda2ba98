import { parseAddress } from '../model/address.ts';
import type { ProgramEnv } from '../model/program-env.ts';
import type { HaproxySocket, ProbeSpec, ReloadSpec, TemplateSpec, VerifySpec } from '../model/template-spec.ts';
import type { Path } from './problem.ts';
import type { Resolution } from './resolution.ts';
import {
  isSentinelConf,
  type RawRedisProbe,
  type RawReload,
  type RawSupervise,
  type RawTemplate,
  type RawVerify,
} from './template-schema.ts';
import { resolveTls } from './tls.ts';

/** A template's settings without its name and paths. */
export async function resolveSettings(
  resolution: Resolution,
  given: { readonly raw: RawTemplate; readonly index: number; readonly name: string },
): Promise<Omit<TemplateSpec, 'name' | 'source' | 'destination'>> {
  const { raw } = given;
  const at: Path = ['templates', given.index];
  const reload = raw.reload === undefined ? undefined : resolveReload(resolution, { raw: raw.reload, at });
  const verify = raw.verify === undefined ? undefined : await resolveVerify(resolution, { raw: raw.verify, at });
  const wait = { minMs: raw.wait.min, maxMs: raw.wait.max };
  if (wait.minMs > wait.maxMs) {
    resolution.report({ at: [...at, 'wait', 'max'] }, { message: 'must not be less than min' });
  }
  checkSeed(resolution, { raw, at });
  return giveEnv(envOf(raw), {
    vars: raw.vars,
    wait,
    guard: { maxLoss: raw.guard.maxLoss, onEmpty: raw.guard.onEmpty, ...defined({ minServers: raw.guard.minServers }) },
    upkeep: raw.seed ? 'seed' : 'kept',
    takeover: raw.adopt ? 'adopt' : 'refuse',
    header: raw.header ? 'line' : 'none',
    ...defined({
      format: raw.format,
      delimiters: raw.delimiters,
      functionDenylist: raw.functionDenylist,
      sandboxPath:
        raw.sandboxPath === undefined
          ? undefined
          : resolution.absolute(raw.sandboxPath, { at: [...at, 'sandboxPath'] }),
      check: raw.check,
      reload,
      verify,
      rolling:
        raw.rolling === undefined ? undefined : { limit: raw.rolling.limit, group: raw.rolling.group ?? given.name },
      folders: raw.createDestDirs ? 'create' : undefined,
      backup: raw.backup ? 'kept' : undefined,
      splayMs: resolveSplay(resolution, { raw, at }),
      placement: raw.inPlace ? 'in-place' : undefined,
      mode: raw.mode,
      owner: raw.owner,
      group: raw.group,
    }),
  });
}

function envOf({ exec }: RawTemplate): ProgramEnv | undefined {
  if (exec?.env === undefined) return undefined;
  const { pristine, ...lists } = exec.env;
  return { inherit: pristine ? 'none' : 'all', ...lists };
}

type Settings = Omit<TemplateSpec, 'name' | 'source' | 'destination'>;

/** Every command of a template has its environment. */
function giveEnv(env: ProgramEnv | undefined, settings: Settings): Settings {
  if (env === undefined) return settings;
  const { check, reload, verify } = settings;
  const probes = verify?.probes.map((probe) =>
    probe.kind === 'command' ? { ...probe, command: { ...probe.command, env } } : probe,
  );
  return {
    ...settings,
    ...(check === undefined ? {} : { check: { ...check, env } }),
    ...(reload === undefined ? {} : { reload: giveReloadEnv(env, reload) }),
    ...(verify === undefined || probes === undefined ? {} : { verify: { ...verify, probes } }),
  };
}

function giveReloadEnv(env: ProgramEnv, reload: ReloadSpec): ReloadSpec {
  switch (reload.kind) {
    case 'command':
    case 'supervise':
      return { ...reload, command: { ...reload.command, env } };
    case 'haproxy':
      return { ...reload, fallback: { ...reload.fallback, env } };
    case 'signal':
      return reload;
  }
}

function resolveSplay(resolution: Resolution, { raw, at }: { readonly raw: RawTemplate; readonly at: Path }) {
  const splayMs = raw.exec?.splay ?? 0;
  if (splayMs === 0) return undefined;
  const refuse = (message: string, hint: string) =>
    resolution.report({ at: [...at, 'exec', 'splay'] }, { message, hint });
  if (raw.rolling !== undefined)
    refuse('cannot be combined with rolling', 'leave splay out: rolling already spreads reloads');
  if (raw.reload === undefined) refuse('has no effect without reload', 'leave it out, or set reload');
  return splayMs;
}

/** Refuses to overwrite a file in which Sentinel keeps its epochs, and settings that a seed cannot use. */
function checkSeed(resolution: Resolution, { raw, at }: { readonly raw: RawTemplate; readonly at: Path }): void {
  if (isSentinelConf(raw) && !raw.seed) {
    const hint = 'add seed: true, which writes the file only if it does not exist';
    resolution.report(
      { at: [...at, 'seed'] },
      { message: 'must be true: Sentinel owns this file and keeps its epochs in it', hint },
    );
  }
  for (const key of ['verify', 'rolling', 'inPlace', 'backup'] as const) {
    if (!raw.seed || raw[key] === undefined || raw[key] === false) continue;
    const hint = `leave ${key} out: a seed is written once, before its consumer runs`;
    resolution.report({ at: [...at, key] }, { message: 'cannot be combined with seed: true', hint });
  }
}

function resolveReload(resolution: Resolution, given: { readonly raw: RawReload; readonly at: Path }): ReloadSpec {
  const { raw } = given;
  const at = [...given.at, 'reload'];
  if (raw.haproxy !== undefined) {
    const { socket, master, fallback } = raw.haproxy;
    const find = (key: string, path: string) =>
      resolveSocket(resolution, { socket: path, at: [...at, 'haproxy', key] });
    const cli = master === undefined ? undefined : find('master', master);
    return { kind: 'haproxy', socket: find('socket', socket), ...defined({ master: cli }), fallback };
  }
  if (raw.supervise !== undefined) return resolveSupervise(raw.supervise);
  if (raw.signal !== undefined && raw.pidFile !== undefined) {
    const pidFile = resolution.absolute(raw.pidFile, { at: [...at, 'pidFile'] });
    return { kind: 'signal', signal: raw.signal, pidFile };
  }
  const command = { argv: raw.command ?? [], timeoutMs: raw.timeout };
  if (raw.drain === undefined) return { kind: 'command', command };
  const { servers, timeout } = raw.drain;
  const socket = resolveSocket(resolution, { socket: raw.drain.socket, at: [...at, 'drain', 'socket'] });
  return { kind: 'command', command, drain: { socket, servers, timeoutMs: timeout } };
}

function resolveSocket(resolution: Resolution, given: { readonly socket: string; readonly at: Path }): HaproxySocket {
  return parseAddress(given.socket) ?? resolution.absolute(given.socket, { at: given.at });
}

function resolveSupervise(raw: RawSupervise): ReloadSpec {
  const { command, onChange, stopSignal, stopTimeout: stopTimeoutMs } = raw;
  const change =
    onChange === 'restart' ? ({ kind: 'restart' } as const) : ({ kind: 'signal', signal: onChange } as const);
  return { kind: 'supervise', command, change, stopSignal, stopTimeoutMs };
}

async function resolveVerify(
  resolution: Resolution,
  given: { readonly raw: RawVerify; readonly at: Path },
): Promise<VerifySpec> {
  const { raw } = given;
  const at = [...given.at, 'verify'];
  const probes: ProbeSpec[] = [];
  if (raw.tcp !== undefined) probes.push({ kind: 'tcp', address: raw.tcp });
  if (Array.isArray(raw.redis)) {
    for (const [i, probe] of raw.redis.entries()) {
      probes.push(await resolveRedisProbe(resolution, { raw: probe, at: [...at, 'redis', i] }));
    }
  } else if (typeof raw.redis === 'object' && 'address' in raw.redis) {
    probes.push(await resolveRedisProbe(resolution, { raw: raw.redis, at: [...at, 'redis'] }));
  } else if (raw.redis !== undefined) {
    probes.push({ kind: 'redis', address: raw.redis });
  }
  if (raw.http !== undefined) probes.push({ kind: 'http', url: raw.http });
  if (raw.command !== undefined) probes.push({ kind: 'command', command: { argv: raw.command } });
  if (probes.length === 0) {
    const hint = 'set redis, tcp, http or command';
    resolution.report({ at }, { message: 'contains no check', hint });
  }
  return { probes, deadlineMs: raw.deadline };
}

async function resolveRedisProbe(
  resolution: Resolution,
  given: { readonly raw: RawRedisProbe; readonly at: Path },
): Promise<ProbeSpec> {
  const { raw, at } = given;
  const { passwordFile } = raw;
  const place = { at: [...at, 'passwordFile'] };
  const password = passwordFile === undefined ? undefined : await resolution.readSecret(passwordFile, place);
  const tls = await resolveTls(resolution, { raw: raw.tls, at: [...at, 'tls'] });
  const { address, master, username } = raw;
  return { kind: 'redis', address, ...defined({ master, username, password, tls }) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that are undefined. */
function defined<T extends object>(given: T): Defined<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<T>;
}
