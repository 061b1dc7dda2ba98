import { setTimeout as delay } from 'node:timers/promises';
import type { Health, Reason } from '../../../lib/model/health.ts';

/** For what may take long on a busy machine. */
export const patient = { timeoutMs: 90_000 };

interface Places {
  readonly health: () => Promise<unknown>;
  readonly metrics: () => Promise<unknown>;
}

/** Reads the health from several places again and again: they must never differ while the verdict stays the same. */
export class VerdictObserver {
  readonly differences: string[] = [];
  /** What was worse than a note at any time. */
  readonly alarms: string[] = [];
  readonly story: string[] = [];
  readonly #places: Places;
  readonly #ended = new AbortController();
  #watching = Promise.resolve();

  constructor(places: Places) {
    this.#places = places;
  }

  start({ everyMs }: { readonly everyMs: number }): this {
    this.#watching = this.#watch(everyMs);
    return this;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  async health(): Promise<Health> {
    return (await this.#places.health()) as Health;
  }

  /** The codes of all reasons, notes among them. */
  async codes(): Promise<readonly string[]> {
    return (await this.health()).reasons.map(({ code }) => code);
  }

  async #watch(everyMs: number): Promise<void> {
    const startedMs = Date.now();
    let before = await this.health();
    while (!this.#ended.signal.aborted) {
      const metrics = String(await this.#places.metrics());
      const after = await this.health();
      this.#note(after, Date.now() - startedMs);
      if (JSON.stringify(before) === JSON.stringify(after)) this.#compare(after, metrics);
      before = after;
      await delay(everyMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  #note({ reasons }: Health, atMs: number): void {
    const said = reasons
      .map(({ level, code, subject }) => `${level} ${code} ${subject.address ?? subject.name}`)
      .join(', ');
    if (this.story.at(-1)?.replace(/^\d+ ms: /, '') !== said) this.story.push(`${atMs} ms: ${said}`);
    for (const { level, code, text } of reasons)
      if (level !== 'well' && !this.alarms.includes(`${code}: ${text}`)) this.alarms.push(`${code}: ${text}`);
  }

  #compare({ reasons }: Health, metrics: string): void {
    const unwell = new Set(reasons.filter(({ level }) => level !== 'well').map(seriesOf));
    const shown = new Set(metrics.split('\n').filter((line) => line.startsWith('switchmaster_problem{')));
    const differing = [
      ...[...unwell].filter((line) => !shown.has(line)),
      ...[...shown].filter((line) => !unwell.has(line)),
    ];
    if (differing.length > 0) this.differences.push(differing.join(', '));
  }
}

function seriesOf({ code, level, subject: { kind, name } }: Reason): string {
  return `switchmaster_problem{code="${code}",subject="${kind}/${name}",level="${level}"} 1`;
}
