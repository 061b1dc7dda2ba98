import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import { formatAddress, isUnspecified } from '../lib/model/address.ts';
import { readRegularBytes } from '../lib/regular-file.ts';
import { findConfig } from './config-paths.ts';

/** What a node's own config says about its API. */
interface NodeApi {
  readonly api: string;
  readonly caFile?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  readonly tokenFile?: string;
}

/**
 * Sets the options of a command that asks the API from the config of this node, if neither the command line nor the
 * environment sets them. On the node itself a command then needs no option.
 */
export async function findApi(command: Command): Promise<void> {
  const given: { readonly config?: readonly string[] } = command.opts();
  const isKnown = (name: string) => !['default', undefined].includes(command.getOptionValueSource(name));
  if (!command.options.some((option) => option.attributeName() === 'api') || isKnown('api')) return;
  const named = given.config ?? [];
  const { paths } = await findConfig(named);
  if (paths.length === 0) return;
  const found = await readNodeApi(paths).catch((thrown: unknown) => {
    // The config of the daemon may be unreadable for an operator who needs nothing of it.
    if (named.length > 0) throw thrown;
    return undefined;
  });
  for (const [name, value] of Object.entries(found ?? {})) {
    const hasOption = command.options.some((option) => option.attributeName() === name);
    if (hasOption && !isKnown(name)) command.setOptionValueWithSource(name, value, 'config');
  }
}

/** Throws `config-invalid` or `config-unreadable`. */
async function readNodeApi(paths: readonly string[]): Promise<NodeApi> {
  const { readApiSection } = await import('../lib/config/api-section.ts');
  const section = await readApiSection(paths);
  if (section === false) {
    const hint = 'remove `api: false`, or name the API of another node with --api';
    throw new SwitchmasterError('config-invalid', `${paths.join(', ')} switches the API off (${hint})`);
  }
  const { listen, tls, tokenFile } = section;
  const loopback = listen.host.includes(':') ? '::1' : '127.0.0.1';
  const host = isUnspecified(listen.host) ? loopback : listen.host;
  const token = tokenFile === undefined ? {} : { tokenFile };
  const at = formatAddress({ host, port: listen.port });
  if (tls === undefined) return { api: `http://${at}`, ...token };
  const name = await firstName(tls.certFile);
  return {
    api: `https://${at}`,
    // The certificate itself is the authority.
    caFile: tls.certFile,
    ...(name === undefined ? {} : { tlsServerName: name }),
    ...(tls.clientCaFile === undefined ? {} : { clientCert: tls.certFile, clientKey: tls.keyFile }),
    ...token,
  };
}

/** A DNS name of a certificate. */
async function firstName(certFile: string): Promise<string | undefined> {
  const { subjectAltName } = new X509Certificate(await readRegularBytes(certFile));
  return /DNS:([^,\s"]+)/.exec(subjectAltName ?? '')?.[1]?.replace(/^\*/, 'any');
}
