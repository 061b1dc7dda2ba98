import { createHash } from 'node:crypto';
import { replyText } from './reply-text.ts';

/**
 * What full runs have read of one Sentinel's masters, or what its list said since. The list of all masters has the same fields as the
 * answer about one, so it shows which of them must be read again.
 */
export class MasterStates {
  /** Digests: the texts of three Sentinels with a thousand masters take a megabyte. */
  readonly #states = new Map<string, string>();

  /** A full run has read this. */
  note(name: string, reply: unknown): void {
    this.#states.set(name, stateOf(reply));
  }

  /** The Sentinel named all its masters. Returns those of which it said something else before. */
  learn(masters: ReadonlyMap<string, unknown>): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const name of this.#states.keys()) if (!masters.has(name)) this.#states.delete(name);
    for (const [name, reply] of masters) {
      const [before, now] = [this.#states.get(name), stateOf(reply)];
      if (before === now) continue;
      this.#states.set(name, now);
      if (before !== undefined) changed.add(name);
    }
    return changed;
  }
}

/** The fields of a master that do not count time. */
const stateFields: ReadonlySet<unknown> = new Set([
  'ip',
  'port',
  'runid',
  'flags',
  'config-epoch',
  'num-slaves',
  'num-other-sentinels',
  'quorum',
  'failover-timeout',
  'parallel-syncs',
  'down-after-milliseconds',
]);

/** `reply`: alternating names and values. */
function stateOf(reply: unknown): string {
  let state = '';
  if (!Array.isArray(reply)) return state;
  for (let i = 0; i < reply.length; i += 2)
    if (stateFields.has(reply[i])) state += `${replyText(reply[i])} ${replyText(reply[i + 1])}\n`;
  return createHash('sha256').update(state).digest('base64');
}
