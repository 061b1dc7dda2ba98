import type { ImportOutput } from '../output.ts';
import type { Block } from './consul-template-block.ts';

/** The section `consul`. Secrets are not copied: they belong into files. */
export function importConsulSection(block: Block, _output: ImportOutput): Readonly<Record<string, unknown>> {
  const ssl = block.nested('ssl');
  const isTls = ssl.entries.length > 0 && ssl.boolean('enabled') !== false;
  const address = block.text('address');
  if (block.text('token') !== undefined)
    block.leave('token', 'the token is not copied', 'write it into a file, and set consul.tokenFile');
  if (block.entry('auth') !== undefined)
    block.leave('auth', 'user and password are not copied', 'set CONSUL_HTTP_AUTH=user:password for the daemon');
  for (const key of ['retry', 'transport'].filter((one) => block.entry(one) !== undefined))
    block.differs(key, `${key} has no effect here`, 'the daemon tries again without end, with growing pauses');
  const [tokenFile, namespace, partition] = ['token_file', 'namespace', 'partition'].map((key) => block.text(key));
  block.close('consul');
  return {
    ...(address === undefined
      ? {}
      : { address: address.includes('://') ? address : `${isTls ? 'https' : 'http'}://${address}` }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(partition === undefined ? {} : { partition }),
    ...(isTls ? { tls: importTls(ssl) } : {}),
  };
}

function importTls(ssl: Block): Readonly<Record<string, unknown>> {
  const verify = ssl.boolean('verify');
  const names = [
    ['caFile', ssl.text('ca_cert')],
    ['caPath', ssl.text('ca_path')],
    ['certFile', ssl.text('cert')],
    ['keyFile', ssl.text('key')],
    ['serverName', ssl.text('server_name')],
  ] as const;
  ssl.close('consul.ssl');
  const given = Object.fromEntries(names.filter(([, value]) => value !== undefined));
  return { ...given, ...(verify === undefined ? {} : { verify }) };
}
