import { type BigIntStats, lstatSync } from 'node:fs';
import { isLocal } from '../../mounts.ts';
import { InOrder } from './in-order.ts';

/** Where a destination is. */
export interface Place {
  /** As the config names it. */
  readonly destination: string;
  /** The destination, or the file that it links to. */
  readonly path: string;
  /** The same, through its opened folder where somebody else can replace that: see `anchored` in links.ts. */
  readonly anchoredPath: string;
}

/** What the disk says about a file. Whoever changes the file, its names, its owner or its mode changes one of these. */
export type FileStamp = Pick<
  BigIntStats,
  'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs' | 'mode' | 'uid' | 'gid' | 'nlink'
>;

const stamped = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs', 'mode', 'uid', 'gid', 'nlink'] as const;

export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return stamped.every((key) => a[key] === b[key]);
}

/** Kernels set times of files in steps of up to 10 ms, so a change after the reading could have the time of the one before. */
const distinctMs = 100;

/** Some file systems keep whole seconds, such as ext4 with inodes of 128 bytes. */
const coarseMs = 1_000 + distinctMs;

/** Whether each later change has another time than the file has at `nowMs`, milliseconds of `Date.now()`. */
export function isSettled({ ctimeNs }: Pick<FileStamp, 'ctimeNs'>, nowMs: number): boolean {
  const stepMs = ctimeNs % 1_000_000_000n === 0n ? coarseMs : distinctMs;
  return BigInt(Math.floor(nowMs)) * 1_000_000n - ctimeNs > BigInt(stepMs) * 1_000_000n;
}

/** Larger files are read each time. */
const maxBytes = 1024 * 1024;
/** When a file that changed is read again, so that the next run knows it. */
const renewMs = 2 * distinctMs;

interface ReadFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The destination as it was read last. A run that finds the same file unchanged need not read it: the calls of a read wait for threads
 * and for turns of the event loop, in which a failover brings much else. Only a file with one name is known, and only the event
 * loop asks about it, so this does not apply to file systems that may hang.
 */
export class KnownFile<F extends ReadFile = ReadFile> {
  #known: { readonly stamp: FileStamp; readonly present: F } | undefined;
  /** `stale`: a later reading can know more. */
  #state: 'stale' | 'read' | 'closed' = 'stale';
  #timer: NodeJS.Timeout | undefined;

  /** The file, if it is on the disk as it was read last. */
  recall({ path, anchoredPath }: Place): F | undefined {
    const known = this.#known;
    if (known === undefined || known.present.path !== path || !isLocal(anchoredPath)) return undefined;
    const stamp = lstatSync(anchoredPath, { bigint: true, throwIfNoEntry: false });
    return stamp !== undefined && isSameStamp(stamp, known.stamp) ? known.present : undefined;
  }

  /** The next run reads the file. */
  forget(): void {
    this.#known = undefined;
    if (this.#state === 'read') this.#state = 'stale';
  }

  /** `stamp`: from just before the reading, at `nowMs`; undefined where the event loop may not ask for it. */
  learn(present: F, { stamp, nowMs }: { readonly stamp: FileStamp | undefined; readonly nowMs: number }): void {
    this.forget();
    if (this.#state === 'closed' || (stamp !== undefined && !isSettled(stamp, nowMs))) return;
    this.#state = 'read';
    if (stamp?.nlink === 1n && present.bytes.length <= maxBytes) this.#known = { stamp, present };
  }

  /** After a run that changed the file or read it soon after a change: reads it some time later. `read` calls {@link learn}. */
  renewLater(read: () => Promise<unknown>): void {
    if (this.#state !== 'stale') return;
    clearTimeout(this.#timer);
    const renew = () => reading.run('all', async () => void (this.#state === 'stale' && (await read())));
    this.#timer = setTimeout(() => void renew().catch(() => undefined), renewMs);
  }

  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
  }
}

/** One file at a time: after the start of a daemon with a thousand templates, a failover must not wait for all of them. */
const reading = new InOrder();
