import { type Address, formatAddress } from '../../model/address.ts';

/** Where clients reach the servers of some masters, if not where Sentinel does. */
interface PublishRule {
  /** Whether the rule is for a master. */
  readonly matches: (name: string) => boolean;
  /** The port of every server: the TLS port beside the plain one, say. */
  readonly port?: number;
  /** Other addresses for `host:port` as in the record, behind NAT, say. They win over `port`. */
  readonly addresses: Readonly<Record<string, Address>>;
}

/** The first rule that matches a master counts. */
export type Publish = readonly PublishRule[];

/** The address that clients of a master get for one of its servers. */
export function publish(rules: Publish, server: { readonly name: string; readonly address: Address }): Address {
  const { name, address } = server;
  const rule = rules.find(({ matches }) => matches(name));
  if (rule === undefined) return address;
  return rule.addresses[formatAddress(address)] ?? { host: address.host, port: rule.port ?? address.port };
}
