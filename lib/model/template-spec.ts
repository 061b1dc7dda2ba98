import type { Address } from './address.ts';
import type { ProbeAccess } from './probe-access.ts';
import type { ProgramEnv } from './program-env.ts';

/** Permission bits of a new file whose template has no `mode`. */
export const newFileMode = 0o644;

/** The validated settings of one template. Times are in milliseconds. The config's schema has the defaults. */
export interface TemplateSpec {
  /** Unique. The key of its runs, and its name in the API. */
  readonly name: string;
  /** Absolute path of the template, or of the config file that has it as `contents`. Its folder has the partials. */
  readonly source: string;
  /** The template itself, where the config has it. */
  readonly contents?: string;
  /** Absolute path of the rendered file. */
  readonly destination: string;
  /** Where it is left out, the name of the source or the destination says it. */
  readonly format?: TemplateSpecFormat;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Of tags, in the template and its partials. Default: two braces. */
  readonly delimiters?: TemplateDelimiters;
  /** Names of helpers that the template may not call. Default: none. */
  readonly functionDenylist?: readonly string[];
  /** Absolute path of the folder from which the helper `file` may read. Default: any. */
  readonly sandboxPath?: string;
  /** Checks a candidate before it replaces the destination. `{{file}}` stands for the candidate's path. */
  readonly check?: CommandSpec;
  /** Makes the consumer use the new file. */
  readonly reload?: ReloadSpec;
  /** Checks that the consumer works with the new file. If it does not, the last good file returns. */
  readonly verify?: VerifySpec;
  /** How long changes are debounced before they are rendered. A change of master is not debounced. */
  readonly wait: WaitSpec;
  readonly guard: GuardSpec;
  /** The longest random delay before an ordinary reload, in milliseconds. Default: none. */
  readonly splayMs?: number;
  /** How many nodes of the fleet may reload at once. A change of master does not queue. */
  readonly rolling?: RollingSpec;
  /** `seed`: the file is written only when it does not exist. Afterwards its consumer owns it. */
  readonly upkeep: 'kept' | 'seed';
  /** `adopt`: a file that switchmaster did not write is kept aside and replaced. Default: it stays. */
  readonly takeover?: 'adopt' | 'refuse';
  /** `line`: the file's first line names its writer and its template, where the format has comments. Default: none. */
  readonly header?: 'line' | 'none';
  /** `in-place`: the file is overwritten, because no other can replace it. Default: a new file replaces it. */
  readonly placement?: 'rename' | 'in-place';
  /** `kept`: the former content of the destination stays as NAME.bak. Default: none. */
  readonly backup?: 'kept' | 'none';
  /** `create`: the folders above the destination are created where they do not exist. Default: that is an error. */
  readonly folders?: 'create' | 'required';
  /** Permission bits. Where they are left out, the file keeps its own, and a new file gets {@link newFileMode}. */
  readonly mode?: number;
  readonly owner?: string | number;
  readonly group?: string | number;
}

/** Two characters each. */
export interface TemplateDelimiters {
  readonly left: string;
  readonly right: string;
}

/** Where {@link TemplateSpec.backup} keeps the former content of a file. */
export function backupPath(file: string): string {
  return `${file}.bak`;
}

/** The paths whose names say which format a template has. */
export function namingPaths(spec: Pick<TemplateSpec, 'source' | 'contents' | 'destination'>): readonly string[] {
  return spec.contents === undefined ? [spec.source, spec.destination] : [spec.destination];
}

const filePlaceholder = /\{\{\s*file\s*\}\}/;

/** A command's words with the path of the file in the place of `{{file}}`. */
export function giveFile(argv: readonly string[], file: string): readonly string[] {
  return argv.map((word) => word.split(filePlaceholder).join(file));
}

/** Whether a command has `{{file}}` in its words. */
export function takesFile(argv: readonly string[]): boolean {
  return argv.some((word) => filePlaceholder.test(word));
}

type TemplateSpecFormat = 'json' | 'yaml' | 'haproxy' | 'redis' | 'conf' | 'env' | 'text';

export interface CommandSpec {
  readonly argv: readonly string[];
  /** After this time the command and everything that it started are killed. */
  readonly timeoutMs: number;
  /** Default: the daemon's environment, without the daemon's secrets. */
  readonly env?: ProgramEnv;
}

export type ReloadSpec =
  | { readonly kind: 'command'; readonly command: CommandSpec; readonly drain?: DrainSpec }
  /** Signals the process whose id is in `pidFile`. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly pidFile: string }
  /** Uses the runtime API when only addresses, weights or states of servers changed, and `fallback` otherwise. */
  | {
      readonly kind: 'haproxy';
      readonly socket: HaproxySocket;
      /** The master CLI of `haproxy -W -S`. With it, sessions in old workers are closed at a change of master. */
      readonly master?: HaproxySocket;
      readonly fallback: CommandSpec;
    }
  /** The daemon starts the program, restarts it when it ends, and ends it when the daemon itself stops. */
  | {
      readonly kind: 'supervise';
      readonly command: CommandSpec;
      readonly change: SuperviseChange;
      /** The signal that ends the program. */
      readonly stopSignal: NodeJS.Signals;
      /** How long the program may take to end before SIGKILL. */
      readonly stopTimeoutMs: number;
    };

/** Servers of an HAProxy in front of the consumer. They get no new sessions while the consumer restarts. */
export interface DrainSpec {
  readonly socket: HaproxySocket;
  /** `backend/server` of each server that leads to the consumer. */
  readonly servers: readonly string[];
  /** How long sessions may take to end by themselves before they are closed. */
  readonly timeoutMs: number;
}

/** The path of a unix domain socket, or an address. */
type Endpoint = string | Address;

/** An address is for `stats socket ipv4@...`. */
export type HaproxySocket = Endpoint;

/** What happens to a supervised program when its file changed. */
export type SuperviseChange =
  | { readonly kind: 'restart' }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export interface VerifySpec {
  /** All must succeed. */
  readonly probes: readonly ProbeSpec[];
  /** How long they may take to succeed. */
  readonly deadlineMs: number;
}

export type ProbeSpec =
  /**
   * PING through the proxy is answered. With `master`, the process that answers must also be the one at the address of
   * that master's record. The probe compares run_ids, so the proxy must pass INFO on: HAProxy does, twemproxy does not.
   */
  | ({ readonly kind: 'redis'; readonly address: Endpoint; readonly master?: string } & ProbeAccess)
  | { readonly kind: 'tcp'; readonly address: Endpoint }
  /** Any status from 200 to 399. */
  | { readonly kind: 'http'; readonly url: string }
  /** Exit code 0. */
  | { readonly kind: 'command'; readonly command: Pick<CommandSpec, 'argv' | 'env'> };

export interface WaitSpec {
  /** A template is rendered when nothing has changed for this time ... */
  readonly minMs: number;
  /** ... or when the first change is this old. */
  readonly maxMs: number;
}

export interface GuardSpec {
  /**
   * A text with fewer servers is not written. Where it is left out: 1 for a template that reads records of masters, 0
   * for any other.
   */
  readonly minServers?: number;
  /** The share of servers, 0 to 1, that may vanish at once. 1 is no limit. */
  readonly maxLoss: number;
  /**
   * `hold`: a text is not written for which a list in Consul is empty that had something in it before. `minServers` 0
   * means `follow`.
   */
  readonly onEmpty: 'hold' | 'follow';
}

export interface RollingSpec {
  readonly limit: number;
  /** Nodes with the same group queue together. */
  readonly group: string;
}
