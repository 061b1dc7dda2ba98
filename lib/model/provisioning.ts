import { type Address, isHost, isPort } from './address.ts';
import { parseJsonObject } from './json.ts';

/** The value of the key `desired/M`: a master that every Sentinel of the environment must monitor. */
export interface DesiredMaster {
  readonly name: string;
  /** Where Sentinels start to monitor it while none of them knows it. Afterwards the Sentinels decide the address. */
  readonly address: Address;
  readonly quorum: number;
  /** Sentinel's own names: `down-after-milliseconds`, `failover-timeout`, `parallel-syncs`, ... */
  readonly options: Readonly<Record<string, string>>;
}

/** Options that SENTINEL MASTERS returns under the names with which SENTINEL SET takes them. */
export const readableOptions: readonly string[] = [
  'down-after-milliseconds',
  'failover-timeout',
  'parallel-syncs',
  'notification-script',
  'client-reconfig-script',
];

/** How one Sentinel monitors one master. */
export interface MonitoredMaster {
  readonly name: string;
  /** undefined where the Sentinel cannot resolve its hostname. */
  readonly address: Address | undefined;
  readonly quorum: number;
  /** `down`: objectively down, so that a failover may begin. */
  readonly state: 'idle' | 'down' | 'failing-over';
  /** Each of `readableOptions`; '' where it is not set. */
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

/** The value of the key `provisioned/M`: a provisioner configures this master, and has written these settings. */
export interface ProvisioningNote {
  /** Salted hash of the last written settings that Sentinels do not return, such as passwords. */
  readonly settingsHash: string | undefined;
  /** The Sentinels (`host:port`) that have those settings. */
  readonly sentinels: readonly string[];
}

/** The name of `settingsHash` in the value; earlier versions read and write it too. */
const hashField = 'untold';

/** undefined where no provisioner wrote the value. What somebody else left there removes no master. */
export function parseNote(text: string): ProvisioningNote | undefined {
  const nothing: ProvisioningNote = { settingsHash: undefined, sentinels: [] };
  // The first versions wrote nothing else.
  if (text === author) return nothing;
  const json = parseJsonObject(text);
  if (json?.by !== author) return undefined;
  const { [hashField]: settingsHash, sentinels } = json;
  if (typeof settingsHash !== 'string' || !Array.isArray(sentinels)) return nothing;
  return { settingsHash, sentinels: sentinels.filter((one) => typeof one === 'string') };
}

const author = 'switchmaster';

export function formatNote({ settingsHash, sentinels }: ProvisioningNote): string {
  const written = settingsHash === undefined ? {} : { [hashField]: settingsHash, sentinels };
  return JSON.stringify({ by: author, ...written });
}

/** undefined where the text is not a desired master. */
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
