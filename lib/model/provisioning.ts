import { type Address, isHost, isPort } from './address.ts';
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

/** Options that SENTINEL MASTERS tells by the names under which SENTINEL SET takes them. */
export const toldOptions: readonly string[] = [
  'down-after-milliseconds',
  'failover-timeout',
  'parallel-syncs',
  'notification-script',
  'client-reconfig-script',
];

/** How one Sentinel monitors one master. */
export interface MonitoredMaster {
  readonly name: string;
  readonly address: Address;
  readonly quorum: number;
  /** `down`: objectively, so that a failover may begin. */
  readonly state: 'idle' | 'down' | 'failing-over';
  /** Each of `toldOptions`; '' where it is not set. */
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

/** What the key `provisioned/M` holds: that a provisioner has taught this master, and what cannot be read back. */
export interface ProvisioningNote {
  /** Fingerprint of the last taught settings that no Sentinel tells, passwords above all. */
  readonly untold: string | undefined;
  /** The Sentinels (`host:port`) that were taught them. */
  readonly sentinels: readonly string[];
}

/** A note that holds anything else says only that the master was taught. */
export function parseNote(text: string): ProvisioningNote {
  const nothing: ProvisioningNote = { untold: undefined, sentinels: [] };
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null) return nothing;
    const { untold, sentinels } = json as Record<string, unknown>;
    if (typeof untold !== 'string' || !Array.isArray(sentinels)) return nothing;
    return { untold, sentinels: sentinels.filter((one) => typeof one === 'string') };
  } catch {
    return nothing;
  }
}

export function formatNote({ untold, sentinels }: ProvisioningNote): string {
  return JSON.stringify({ by: 'switchmaster', ...(untold === undefined ? {} : { untold, sentinels }) });
}

/** undefined where the text is no such thing. */
export function parseDesired(name: string, text: string): DesiredMaster | undefined {
  const json = parseJsonObject(text);
  if (json === undefined || !/^[A-Za-z0-9._-]+$/.test(name)) return undefined;
  const { host, port, quorum, options = {} } = json;
  if (!isHost(host) || !isPort(port)) return undefined;
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
