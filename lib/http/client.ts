import { isIPv6 } from 'node:net';

/**
 * Who a limit counts for: an IPv4 address, or a network of IPv6 (/64), because one machine has all addresses of its network.
 * A link-local address counts for itself, with its zone: all machines of all links share its network.
 */
export function clientOf(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? address;
  if (/^fe[89ab][0-9a-f]:/i.test(plain)) return address.toLowerCase();
  const [before = '', after] = plain.toLowerCase().split('::');
  const first = before.split(':').filter((group) => group !== '');
  const last = (after ?? '').split(':').filter((group) => group !== '');
  // An IPv4 address at the end takes the place of two groups.
  const written = first.length + last.length + (plain.includes('.') ? 1 : 0);
  const groups = [...first, ...Array.from({ length: Math.max(0, 8 - written) }, () => '0'), ...last];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
