import path from 'node:path';
import { isLoopback } from '../model/address.ts';
import { resolveAccess } from './access.ts';
import { resolveClusters } from './cluster.ts';
import { resolveConsul } from './consul.ts';
import { resolveEndpoint } from './endpoint.ts';
import type { ApiConfig, Config, JournalConfig, SentinelConfig } from './model.ts';
import { resolvePublish } from './publish.ts';
import { resolveRegister } from './register.ts';
import type { Resolution, Setting } from './resolution.ts';
import type { RawApi, RawConfig, RawJournal, RawSentinel } from './schema.ts';
import { resolveTemplates } from './template.ts';
import { readServerTls } from './tls.ts';
import { checkToken } from './token.ts';

/** Reads the files, secrets and variables that the sections name. Reports problems and never throws. */
export async function resolveConfig(resolution: Resolution, raw: RawConfig): Promise<Config> {
  const journal = resolveJournal(resolution, raw.journal);
  const pidFile = raw.pidFile === undefined ? undefined : resolution.absolute(raw.pidFile, { at: ['pidFile'] });
  const consul = await resolveConsul(resolution, raw.consul);
  return {
    environment: raw.environment,
    ...(pidFile === undefined ? {} : { pidFile }),
    consul,
    register: raw.register === undefined ? undefined : await resolveRegister(resolution, raw.register),
    sentinel: raw.sentinel === undefined ? undefined : await resolveSentinel(resolution, raw.sentinel),
    cluster: await resolveClusters(resolution, raw.cluster),
    publish: resolvePublish(resolution, raw.publish),
    sentinelEndpoint:
      raw.sentinelEndpoint === undefined ? undefined : await resolveEndpoint(resolution, raw.sentinelEndpoint),
    api: await resolveApi(resolution, raw.api),
    // Last: a destination is none of the files that the other sections read.
    templates: await resolveTemplates(resolution, {
      raw: raw.templates,
      ownFiles: {
        'journal.file': journal.file,
        pidFile,
        'consul.address': consul.socketPath,
        ...socketsOf(raw.register),
      },
    }),
    log: raw.log,
    journal,
    warnings: resolution.warnings,
  };
}

function socketsOf(register: RawConfig['register'] = []): Readonly<Record<string, string>> {
  const sockets = register.flatMap(({ address }, i) =>
    typeof address === 'string' ? [[`register[${i}].address`, address] as const] : [],
  );
  return Object.fromEntries(sockets);
}

async function resolveSentinel(resolution: Resolution, raw: RawSentinel): Promise<SentinelConfig> {
  return {
    addresses: raw.addresses,
    ...(raw.service === undefined ? {} : { service: raw.service }),
    provision: raw.provision,
    masters: raw.masters,
    access: await resolveAccess(resolution, {
      raw,
      at: ['sentinel'],
      variable: 'SWITCHMASTER_SENTINEL_PASSWORD',
    }),
    redis: await resolveAccess(resolution, {
      raw: raw.redis,
      at: ['sentinel', 'redis'],
      variable: 'SWITCHMASTER_REDIS_PASSWORD',
    }),
    resyncMs: raw.resync,
    roleDeadlineMs: raw.roleDeadline,
    rebaseAfterMs: raw.rebaseAfter,
    follow: raw.follow,
    fence: raw.fence,
    onCrash: raw.onCrash,
    crashAfterMs: raw.crashAfter,
  };
}

async function resolveApi(resolution: Resolution, raw: RawApi): Promise<ApiConfig | undefined> {
  if (raw === false) return undefined;
  const { listen } = raw;
  const setting: Setting =
    raw.tokenFile === undefined ? { variable: 'SWITCHMASTER_API_TOKEN' } : { at: ['api', 'tokenFile'] };
  const token =
    raw.tokenFile === undefined
      ? resolution.secretVariable('SWITCHMASTER_API_TOKEN')
      : await resolution.readSecret(raw.tokenFile, setting);
  checkToken(resolution, { token, setting, carrier: 'bearer' });
  const tls = raw.tls === undefined ? undefined : await readServerTls(resolution, { raw: raw.tls, at: ['api', 'tls'] });
  if (!isLoopback(listen.host) && raw.tls === undefined && !raw.allowRemote) {
    resolution.report(
      { at: ['api', 'listen'] },
      {
        message: 'opens the API to other machines without TLS',
        hint: 'listen on 127.0.0.1, set api.tls, or set api.allowRemote: true',
      },
    );
  }
  const allowedHosts = raw.allowedHosts.map((name) => name.toLowerCase());
  return { listen, allowedHosts, ...(token === undefined ? {} : { token }), ...(tls === undefined ? {} : { tls }) };
}

function resolveJournal(resolution: Resolution, raw: RawJournal): JournalConfig {
  const { entries } = raw;
  if (raw.file === undefined) return { entries };
  const file = resolution.absolute(raw.file, { at: ['journal', 'file'] });
  return { entries, file: path.normalize(file) };
}
