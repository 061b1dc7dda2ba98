import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SwitchmasterError } from '../errors.ts';
import { isLoopback } from '../model/address.ts';
import { changesNothing } from './token.ts';

export interface HostOptions {
  /** The host of `api.listen`. */
  readonly listenHost?: string;
  /** Further names by which clients call this API, in lower case. */
  readonly allowedHosts?: readonly string[];
}

/**
 * Refuses requests that a web page of another site makes a browser send. Without TLS, the header Host must name this API:
 * the name of the page's server may lead here (DNS rebinding). With TLS, the browser compares the certificate's name. From
 * another site, only a link that the user follows is served.
 */
export function addOriginGuard(server: FastifyInstance, hosts: HostOptions & { readonly tls: boolean }): void {
  const allowed = new Set((hosts.allowedHosts ?? []).map(toName));
  const own = new Set([hostname(), ...(hosts.listenHost === undefined ? [] : [hosts.listenHost])].map(toName));
  const isKnown = (host: string): boolean => isIP(host) !== 0 || isLoopback(host) || allowed.has(host) || own.has(host);
  // A proxy in front may listen at the default port of a name of this machine. Another port there is another site.
  const isProxy = (site: string): boolean => allowed.has(nameIn(site)) || own.has(toName(site));
  server.addHook('onRequest', async ({ headers, method, raw }) => {
    requireOneHost(raw);
    const { origin } = headers;
    const host = targetOf(raw.url) ?? headers.host;
    if (host !== undefined && !hosts.tls && !isKnown(nameIn(host))) {
      const hint = 'list it in api.allowedHosts if clients may use this name';
      throw new SwitchmasterError('request-foreign', `the API does not know the host ${JSON.stringify(host)}: ${hint}`);
    }
    if (origin !== undefined && !isSameOrigin(origin, host) && !isProxy(origin.replace(/^\w+:\/\//, ''))) {
      const hint = 'list its host in api.allowedHosts if it is a proxy in front of this API';
      throw new SwitchmasterError(
        'request-foreign',
        `a page of ${JSON.stringify(origin)} may not use this API: ${hint}`,
      );
    }
    if (isCrossSite(headers) && !(changesNothing(method) && isFollowedLink(headers))) {
      throw new SwitchmasterError('request-foreign', 'a page of another site may not use this API');
    }
  });
}

type Headers = FastifyRequest['headers'];

/** RFC 9112, 3.2: what follows could take another of several than this API does. */
function requireOneHost({ rawHeaders, httpVersion }: FastifyRequest['raw']): void {
  const count = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (count > 1) throw new SwitchmasterError('request-invalid', 'the header Host occurs more than once');
  if (count === 0 && httpVersion === '1.1')
    throw new SwitchmasterError('request-invalid', 'the header Host is missing, which HTTP/1.1 requires');
}

/** The host of `GET http://host/path`, which counts in place of the header (RFC 9112, 3.2.2). */
function targetOf(url: string | undefined): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url ?? '')?.[1];
}

/** Fetch Metadata (W3C): browsers send these headers, and pages cannot set them. */
function isCrossSite(headers: Headers): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

function isFollowedLink(headers: Headers): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** A proxy that ends TLS changes the scheme. */
function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && origin.toLowerCase().replace(/^https?:\/\//, '') === host.toLowerCase();
}

/** The name of `name:port`, or the address of `[address]:port`. */
function nameIn(host: string): string {
  return toName(host.replace(/:\d*$/, ''));
}

/** A trailing dot makes a name absolute, and not another one. */
function toName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
