import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { SwitchmasterError } from '../lib/errors.ts';
import { readRegularFile } from '../lib/regular-file.ts';
import type { ApiOptions } from './option.ts';

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/**
 * Sends one request and returns any answer, also a redirect. Throws `api-unreachable` with a hint, `config-unreadable` for a
 * file of `api`, or the reason of `signal` if that is no timeout. fetch cannot use a custom authority or client certificate.
 */
export async function send(url: URL, options: SendOptions & { readonly api: ApiOptions }): Promise<Response> {
  const { api, signal, method = 'GET', headers, body } = options;
  const tls = url.protocol === 'https:' ? await readTls(api) : undefined;
  const settings = { method, signal, ...(headers === undefined ? {} : { headers }) };
  try {
    const request = tls === undefined ? http.request(url, settings) : https.request(url, { ...settings, ...tls });
    request.end(body);
    const [incoming] = (await once(request, 'response')) as [IncomingMessage];
    const { statusCode: status = 0 } = incoming;
    // Node's web streams and the DOM's have different types, but are the same.
    const content = Readable.toWeb(incoming) as unknown as ReadableStream;
    return new Response(status === 204 || status === 304 ? null : content, { status });
  } catch (thrown) {
    const late = (signal.reason as Error | undefined)?.name === 'TimeoutError';
    if (!late) signal.throwIfAborted();
    const cause = late ? signal.reason : thrown;
    throw new SwitchmasterError('api-unreachable', `no switchmaster answers at ${api.api} (${hint(cause)})`, { cause });
  }
}

async function readTls({ caFile, clientCert, clientKey, tlsServerName }: ApiOptions) {
  const [ca, cert, key] = await Promise.all([caFile, clientCert, clientKey].map(readPem));
  return {
    // The certificate of the API itself may be the authority.
    ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
  };
}

async function readPem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readRegularFile(file);
  } catch (cause) {
    throw new SwitchmasterError('config-unreadable', `the file ${file} cannot be read`, { cause });
  }
}

/** OpenSSL's errors for a certificate from an unknown authority. */
const untrusted: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

function hint(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') {
    if (untrusted.has(code)) return 'is its certificate from an authority of your own? --ca-file names it';
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return '--tls-server-name sets the name in its certificate';
    if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
      return 'it wants a certificate: --client-cert, --client-key';
    if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') return 'does it speak TLS? --api http://… if not';
    if (code === 'ECONNRESET') return 'does it speak TLS? --api https://… if so';
  }
  return 'is it running? systemctl status switchmaster; --config, --api or SWITCHMASTER_API say where it is';
}
