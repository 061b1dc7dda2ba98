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
 * Refuses what a web page of somebody else makes a browser send. Without TLS, the header Host must name this API: the name of
 * the page's server may lead here (DNS rebinding). With TLS, the browser compares the certificate's name. Of a foreign page
 * only a link to follow is served.
 */
export function addOriginGuard(server: FastifyInstance, hosts: HostOptions & { readonly tls: boolean }): void {
  const named = [hostname(), ...(hosts.allowedHosts ?? [])];
  const names = new Set((hosts.listenHost === undefined ? named : [...named, hosts.listenHost]).map(toName));
  const isKnown = (host: string): boolean => isIP(host) !== 0 || isLoopback(host) || names.has(host);
  server.addHook('onRequest', async ({ headers, method, raw }) => {
    const { host, origin } = headers;
    if (host === undefined && raw.httpVersion === '1.1') {
      throw new SwitchmasterError('request-invalid', 'the header Host is missing, which HTTP/1.1 requires');
    }
    if (host !== undefined && !hosts.tls && !isKnown(nameIn(host))) {
      const hint = 'list it in api.allowedHosts if clients may use this name';
      throw new SwitchmasterError('request-foreign', `the API does not know the host ${JSON.stringify(host)}: ${hint}`);
    }
    if (origin !== undefined && !isSameOrigin(origin, host) && !names.has(nameIn(origin.replace(/^\w+:\/\//, '')))) {
      throw new SwitchmasterError('request-foreign', `a page of ${JSON.stringify(origin)} may not use this API`);
    }
    if (isCrossSite(headers) && !(changesNothing(method) && isFollowedLink(headers))) {
      throw new SwitchmasterError('request-foreign', 'a page of another site may not use this API');
    }
  });
}

type Headers = FastifyRequest['headers'];

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
