import type { ConsulScope } from '../model/consul-scope.ts';
import { defaultConsulAddress, defaultTlsVerify } from './defaults.ts';
import { warnOfIgnoredVariables } from './ignored-variables.ts';
import type { ConsulConfig } from './model.ts';
import { nameOfSetting, type Resolution, type Setting, type Sourced } from './resolution.ts';
import { faultOfConsulName, type RawConsul } from './schema.ts';
import { Secret } from './secret.ts';
import { readTls, type TlsSettings } from './tls.ts';
import { checkToken } from './token.ts';

/*
 * The variables have the same meaning as for `consul` (hashicorp/consul, api/api.go: defaultConfig and NewClient): a
 * token file overrides a token, `http://` does not disable CONSUL_HTTP_SSL, and a missing port is the scheme's default.
 * The config file overrides all of them.
 */
export async function resolveConsul(resolution: Resolution, raw: RawConsul): Promise<ConsulConfig> {
  const target = resolveTarget(resolution, raw);
  const token = await resolveToken(resolution, raw);
  const auth = resolveAuth(resolution);
  const scope = resolveScope(resolution, raw);
  const settings = tlsSettings(resolution, raw);
  const tls = target.secure ? await readTls(resolution, settings) : undefined;
  warnOfIgnoredVariables(resolution, target.socketPath === undefined ? (target.secure ? 'tls' : 'plain') : 'socket');
  if (raw.tls !== undefined && target.socketPath !== undefined) reportTlsOnSocket(resolution, raw);
  return {
    host: target.host,
    port: target.port,
    ...(target.socketPath === undefined ? {} : { socketPath: target.socketPath }),
    ...(tls === undefined ? {} : { tls }),
    ...(token === undefined ? {} : { token }),
    ...(auth === undefined ? {} : { auth }),
    ...(raw.datacenter === undefined ? {} : { datacenter: raw.datacenter }),
    ...(scope === undefined ? {} : { scope }),
    connections: raw.connections,
    maxStaleMs: raw.maxStale,
  };
}

function reportTlsOnSocket(resolution: Resolution, raw: RawConsul): void {
  const problem =
    raw.address === undefined
      ? {
          message: 'has no effect on a socket, which CONSUL_HTTP_ADDR names',
          hint: 'set consul.address to https://host:port, or remove tls',
        }
      : { message: 'has no effect on a socket', hint: 'remove tls' };
  resolution.report({ at: ['consul', 'tls'] }, problem);
}

interface Target {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly secure: boolean;
}

const defaultTarget: Target = { ...defaultConsulAddress, secure: false };

function resolveTarget(resolution: Resolution, raw: RawConsul): Target {
  const given = sourced(resolution, { value: raw.address, key: 'address', variable: 'CONSUL_HTTP_ADDR' });
  const forced = raw.tls !== undefined || readBoolean(resolution, 'CONSUL_HTTP_SSL') === true;
  if (given === undefined) return { ...defaultTarget, secure: forced };
  const target = parseTarget(given.value, { forceTls: forced });
  if (typeof target !== 'string') return target;
  resolution.report(given.setting, {
    message: `${JSON.stringify(given.value)} is not an address of Consul: ${target}`,
    hint: 'write host:port, http://host:port, https://host:port or unix:///path',
  });
  return defaultTarget;
}

/** The target, or the reason why the text is none. */
export function parseTarget(text: string, options: { readonly forceTls: boolean }): Target | string {
  const [, scheme = 'http', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/is.exec(text) ?? [];
  if (scheme === 'unix') return { ...defaultTarget, socketPath: rest, secure: false };
  if (scheme !== 'http' && scheme !== 'https') return `unknown scheme ${scheme}`;
  const secure = scheme === 'https' || options.forceTls;
  let url: URL;
  try {
    url = new URL(`${secure ? 'https' : 'http'}://${rest}`);
  } catch {
    return 'it cannot be parsed';
  }
  if (url.username !== '' || url.password !== '') return 'it must not contain a user or a password';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return 'it must not contain a path';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure };
}

async function resolveToken(resolution: Resolution, raw: RawConsul): Promise<Secret | undefined> {
  const file = sourced(resolution, { value: raw.tokenFile, key: 'tokenFile', variable: 'CONSUL_HTTP_TOKEN_FILE' });
  const setting = file?.setting ?? variableSetting('CONSUL_HTTP_TOKEN');
  const token =
    file === undefined
      ? resolution.secretVariable('CONSUL_HTTP_TOKEN')
      : await resolution.readSecret(file.value, file.setting);
  checkToken(resolution, { token, setting, carrier: 'header' });
  return token;
}

/** As for `consul`, a text without a colon is a user without a password. */
function resolveAuth(resolution: Resolution): Secret | undefined {
  const text = resolution.variable('CONSUL_HTTP_AUTH');
  if (text === undefined) return undefined;
  return new Secret(text.includes(':') ? text : `${text}:`);
}

function resolveScope(resolution: Resolution, raw: RawConsul): ConsulScope | undefined {
  const from = (key: 'namespace' | 'partition', variable: string) => {
    const given = sourced(resolution, { value: raw[key], key, variable });
    const fault = given === undefined ? undefined : faultOfConsulName(given.value);
    if (given === undefined || fault === undefined) return given;
    resolution.report(given.setting, { message: `${JSON.stringify(given.value)} is no ${key} of Consul: it ${fault}` });
    return undefined;
  };
  const given = [from('namespace', 'CONSUL_NAMESPACE'), from('partition', 'CONSUL_PARTITION')] as const;
  const [namespace, partition] = given;
  if (namespace === undefined && partition === undefined) return undefined;
  return {
    namespace: namespace?.value ?? 'default',
    ...(partition === undefined ? {} : { partition: partition.value }),
    settings: given.flatMap((one) => (one === undefined ? [] : [nameOfSetting(one.setting)])),
  };
}

function tlsSettings(resolution: Resolution, raw: RawConsul): TlsSettings {
  const from = (key: 'caFile' | 'caPath' | 'certFile' | 'keyFile', variable: string) =>
    sourced(resolution, { value: raw.tls?.[key], key: `tls.${key}`, variable });
  return {
    caFile: from('caFile', 'CONSUL_CACERT'),
    caPath: from('caPath', 'CONSUL_CAPATH'),
    certFile: from('certFile', 'CONSUL_CLIENT_CERT'),
    keyFile: from('keyFile', 'CONSUL_CLIENT_KEY'),
    serverName: raw.tls?.serverName ?? resolution.variable('CONSUL_TLS_SERVER_NAME'),
    verify: raw.tls?.verify ?? readBoolean(resolution, 'CONSUL_HTTP_SSL_VERIFY') ?? defaultTlsVerify,
  };
}

function sourced(
  resolution: Resolution,
  from: { readonly value: string | undefined; readonly key: string; readonly variable: string },
): Sourced<string> | undefined {
  if (from.value !== undefined) {
    return { value: from.value, setting: { at: ['consul', ...from.key.split('.')] } };
  }
  const value = resolution.variable(from.variable);
  return value === undefined ? undefined : { value, setting: variableSetting(from.variable) };
}

function variableSetting(variable: string): Setting {
  return { variable };
}

/** Reads a boolean as Go's strconv.ParseBool does. */
function readBoolean(resolution: Resolution, variable: string): boolean | undefined {
  const value = resolution.variable(variable);
  if (value === undefined) return undefined;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  resolution.report({ variable }, { message: `${JSON.stringify(value)} is neither true nor false` });
  return undefined;
}
