import { type Endpoint, sameEndpoint } from '../../model/address.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import { instanceKind } from '../../model/instance-kinds.ts';

/** The process that answered last at an instance's address. Times are milliseconds of one clock. */
export interface KnownProcess {
  /** INFO's run_id: each start of a process has another one. */
  readonly runId: string;
  /** When the first answer with this run id came. */
  readonly sinceMs: number;
  /** When the question was sent that the last answer belongs to. */
  readonly askedMs: number;
}

/**
 * The instances that are registered rather than `spec` if they lead to the same process, in their order: what the config
 * lists comes first, in its order.
 */
export function precedingInstances(spec: InstanceSpec, all: readonly InstanceSpec[]): readonly InstanceSpec[] {
  // Proxies do not say which process they are.
  if (instanceKind(spec.kind).answer === 'proxy') return [];
  const ordered = [
    ...all.filter(({ origin }) => origin === 'configured'),
    ...all.filter(({ origin }) => origin === 'discovered').sort((a, b) => (a.id < b.id ? -1 : 1)),
  ];
  const place = ordered.findIndex(({ id }) => id === spec.id);
  return ordered.slice(0, Math.max(place, 0)).filter((other) => other.kind === spec.kind && !isApart(other, spec));
}

/** The id of the preceding instance that leads to the same process; undefined where none does. */
export function findOriginal(
  own: KnownProcess | undefined,
  seen: {
    readonly preceding: readonly { readonly id: string; readonly process: KnownProcess | undefined }[];
    /** The previous result. */
    readonly before: string | undefined;
  },
): string | undefined {
  const { preceding, before } = seen;
  const same = own === undefined ? undefined : preceding.find(({ process }) => process?.runId === own.runId);
  if (same !== undefined) return same.id;
  const former = preceding.find(({ id }) => id === before);
  const isDisproven = own !== undefined && former?.process !== undefined && isCompared(own, former.process);
  return isDisproven ? undefined : former?.id;
}

/**
 * Whether two run ids prove two processes: each was asked since the other one's first answer. After a restart of a process one of
 * its addresses has read the new run id, and the other will.
 */
function isCompared(a: KnownProcess, b: KnownProcess): boolean {
  return a.askedMs > b.sinceMs && b.askedMs > a.sinceMs;
}

/** The preceding instances that may lead to the process although they reported another one, because one of the two restarted. */
export function findUncompared(
  own: KnownProcess | undefined,
  preceding: readonly { readonly id: string; readonly process: KnownProcess | undefined }[],
): readonly string[] {
  if (own === undefined || preceding.some(({ process }) => process?.runId === own.runId)) return [];
  return preceding.flatMap(({ id, process }) => (process !== undefined && !isCompared(own, process) ? [id] : []));
}

/** Whether the config distinguishes two entries on purpose, for example the plain port and the TLS port of one process. */
function isApart(a: InstanceSpec, b: InstanceSpec): boolean {
  if (a.origin === 'discovered' || b.origin === 'discovered') return false;
  const names = a.name !== undefined && b.name !== undefined && a.name !== b.name;
  const announces = a.announce !== undefined || b.announce !== undefined;
  const reached = ({ announce, address }: InstanceSpec): Endpoint => announce ?? address;
  return names || a.tags.join() !== b.tags.join() || (announces && !sameEndpoint(reached(a), reached(b)));
}
