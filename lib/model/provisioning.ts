import { type Address, isPort } from './address.ts';
import { parseJsonObject } from './json.ts';

/** What the key `desired/M` holds: a master that every Sentinel of the environment must monitor. */
export interface DesiredMaster {
  readonly name: string;
  /** Where it is monitored when no Sentinel knows it yet: afterwards the Sentinels say who is master. */
  readonly address: Address;
  readonly quorum: number;
  /** Sentinel's own names: `down-after-milliseconds`, `failover-timeout`, `parallel-syncs`, ... */
  readonly options: Readonly<Record<string, string>>;
}

/** How one Sentinel monitors one master. */
export interface MonitoredMaster {
  readonly name: string;
  readonly address: Address;
  readonly quorum: number;
  /** Failing over, or about to: not to be touched. */
  readonly busy: boolean;
  /** What SENTINEL MASTERS tells of its options, by the names that SENTINEL SET takes. */
  readonly options: Readonly<Record<string, string>>;
}

/** What one Sentinel monitors. */
export interface Monitoring {
  readonly sentinel: Address;
  readonly masters: readonly MonitoredMaster[];
}

export type ProvisioningStep =
  | {
      readonly kind: 'monitor';
      readonly sentinel: Address;
      readonly name: string;
      readonly address: Address;
      readonly quorum: number;
    }
  | {
      readonly kind: 'set';
      readonly sentinel: Address;
      readonly name: string;
      readonly options: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'remove'; readonly sentinel: Address; readonly name: string };

/** undefined where the text is no such thing. */
export function parseDesired(name: string, text: string): DesiredMaster | undefined {
  const json = parseJsonObject(text);
  if (json === undefined || !/^[A-Za-z0-9._-]+$/.test(name)) return undefined;
  const { host, port, quorum, options = {} } = json;
  if (typeof host !== 'string' || !/^[A-Za-z0-9._:%-]{1,253}$/.test(host)) return undefined;
  if (typeof port !== 'number' || !isPort(port)) return undefined;
  if (!Number.isInteger(quorum) || (quorum as number) < 1) return undefined;
  const read = readOptions(options);
  return read === undefined ? undefined : { name, address: { host, port }, quorum: quorum as number, options: read };
}

function readOptions(options: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return undefined;
  const entries = Object.entries(options).map(([key, value]) => [key, String(value)] as const);
  return entries.every(([key, value]) => /^[a-z-]+$/.test(key) && !/[\r\n]/.test(value))
    ? Object.fromEntries(entries)
    : undefined;
}
