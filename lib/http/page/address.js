/**
 * Addresses as text.
 *
 * @import { Address } from './api.d.ts'
 */

/**
 * @param {Address} address
 * @returns {string}
 */
export function format({ host, port }) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param {Address | null | undefined} one
 * @param {Address | null | undefined} other
 */
export function same(one, other) {
  return one != null && other != null && one.host === other.host && one.port === other.port;
}
