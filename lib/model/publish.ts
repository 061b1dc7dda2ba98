import { type Address, formatAddress } from './address.ts';
import { matchesAny } from './glob.ts';

/** A host, with a port or without. */
export interface PublishedHost {
  readonly host: string;
  readonly port?: number;
}

/** Where clients reach the servers of some masters, if not at the addresses that Sentinel uses. */
interface PublishRule {
  /** The name of a master, or a pattern with `*` and `?`. */
  readonly masters: string;
  /** The port of every server: a TLS port beside the plain one, for example. */
  readonly port?: number;
  /** By `host:port` of the record, or by its host alone. A port here takes precedence over `port`. */
  readonly addresses: Readonly<Record<string, PublishedHost>>;
}

/** A rule for exactly one name takes precedence over patterns. Of several patterns the first one counts. */
export type Publish = readonly PublishRule[];

/** The address that clients of a master get for one of its servers. `address` is the one in the record. */
export function publishedAddress(
  rules: Publish = [],
  { name, address }: { readonly name: string; readonly address: Address },
): Address {
  const rule =
    rules.find(({ masters }) => masters === name) ?? rules.find(({ masters }) => matchesAny([masters], name));
  if (rule === undefined) return address;
  const { host, port = rule.port ?? address.port } = mapped(rule, address) ?? { host: address.host };
  return { host, port };
}

function mapped({ addresses }: PublishRule, address: Address): PublishedHost | undefined {
  const key = [formatAddress(address), address.host].find((one) => Object.hasOwn(addresses, one));
  return key === undefined ? undefined : addresses[key];
}
