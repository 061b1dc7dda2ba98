import { warnOfAuthorities, warnOfCertificate } from './certificate-warnings.ts';
import { checkAuthorities, checkKeyPair } from './certificates.ts';
import { defaultTlsVerify } from './defaults.ts';
import type { ClientTls, ServerTls } from './model.ts';
import type { Path } from './problem.ts';
import type { Resolution, Sourced } from './resolution.ts';
import type { Secret } from './secret.ts';
import type { RawClientTls, RawServerTls } from './shared-schema.ts';

/** Settings of TLS with their origins, before their files are read. */
export interface TlsSettings {
  readonly caFile?: Sourced<string> | undefined;
  readonly caPath?: Sourced<string> | undefined;
  readonly certFile?: Sourced<string> | undefined;
  readonly keyFile?: Sourced<string> | undefined;
  readonly serverName?: string | undefined;
  readonly verify: boolean;
}

/** Reads `tls: true` or `tls: {...}`; undefined for `tls: false`. */
export async function resolveTls(
  resolution: Resolution,
  given: { readonly raw: boolean | RawClientTls; readonly at: Path },
): Promise<ClientTls | undefined> {
  const { raw, at } = given;
  if (raw === false) return undefined;
  if (raw === true) return { verify: defaultTlsVerify };
  const sourced = (key: 'caFile' | 'caPath' | 'certFile' | 'keyFile'): Sourced<string> | undefined => {
    const value = raw[key];
    return value === undefined ? undefined : { value, setting: { at: [...at, key] } };
  };
  return readTls(resolution, {
    caFile: sourced('caFile'),
    caPath: sourced('caPath'),
    certFile: sourced('certFile'),
    keyFile: sourced('keyFile'),
    serverName: raw.serverName,
    verify: raw.verify,
  });
}

export async function readTls(resolution: Resolution, settings: TlsSettings): Promise<ClientTls> {
  const { caFile, caPath, certFile, keyFile, serverName, verify } = settings;
  const lone = certFile === undefined ? keyFile : keyFile === undefined ? certFile : undefined;
  if (lone !== undefined) {
    resolution.report(lone.setting, { message: 'a client certificate needs both its file and its key file' });
  }
  const ca = await readAuthorities(resolution, { caFile, caPath });
  const cert = certFile === undefined ? undefined : await resolution.readText(certFile.value, certFile.setting);
  const key: Secret | undefined =
    keyFile === undefined ? undefined : await resolution.readSecret(keyFile.value, keyFile.setting);
  if (certFile !== undefined && keyFile !== undefined && cert !== undefined && key !== undefined) {
    checkKeyPair(resolution, { cert: { file: certFile, content: cert }, key: { file: keyFile, content: key } });
    warnOfCertificate(resolution, { setting: certFile.setting, content: cert }, 'client');
  }
  return {
    ...(ca.length === 0 ? {} : { ca: ca.join('\n') }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
    verify,
  };
}

async function readAuthorities(
  resolution: Resolution,
  { caFile, caPath }: Pick<TlsSettings, 'caFile' | 'caPath'>,
): Promise<readonly string[]> {
  const texts = [
    { file: caFile, content: caFile && (await resolution.readText(caFile.value, caFile.setting)) },
    { file: caPath, content: caPath && (await resolution.readFolder(caPath.value, caPath.setting)) },
  ];
  return texts.flatMap(({ file, content }) => {
    if (file === undefined || content === undefined) return [];
    checkAuthorities(resolution, { file, content });
    warnOfAuthorities(resolution, { setting: file.setting, content });
    return [content];
  });
}

/** Reads the certificate of a server of ours; undefined if a file cannot be read, which is reported. */
export async function readServerTls(
  resolution: Resolution,
  given: { readonly raw: RawServerTls; readonly at: Path },
): Promise<ServerTls | undefined> {
  const { raw, at } = given;
  const fileOf = (key: 'certFile' | 'keyFile' | 'clientCaFile', value: string): Sourced<string> => {
    return { value, setting: { at: [...at, key] } };
  };
  const [certFile, keyFile] = [fileOf('certFile', raw.certFile), fileOf('keyFile', raw.keyFile)];
  const cert = await resolution.readText(certFile.value, certFile.setting);
  const key = await resolution.readSecret(keyFile.value, keyFile.setting);
  const caFile = raw.clientCaFile === undefined ? undefined : fileOf('clientCaFile', raw.clientCaFile);
  const [clientCa] = await readAuthorities(resolution, { caFile, caPath: undefined });
  if (cert === undefined || key === undefined) return undefined;
  checkKeyPair(resolution, { cert: { file: certFile, content: cert }, key: { file: keyFile, content: key } });
  warnOfCertificate(resolution, { setting: certFile.setting, content: cert }, 'server');
  return { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
}
