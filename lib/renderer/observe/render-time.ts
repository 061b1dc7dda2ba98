import { stat } from 'node:fs/promises';
import { withinDeadline } from '../../file-system.ts';
import { readRegularBytes } from '../../regular-file.ts';
import type { RenderResult } from '../../template/render.ts';
import { computeDigest } from '../head.ts';

const maxBytes = 64 * 1024 * 1024;

/**
 * The time that a template writes: when the rest of its text last changed. So time alone never changes a file and reloads its
 * consumer. After a restart of the daemon, it is the time at which the file was written.
 */
export class RenderTime {
  readonly #destination: string;
  #last: { readonly time: Date; readonly digest: string } | undefined;

  constructor(destination: string) {
    this.#destination = destination;
  }

  /** Renders at the last time, and at the present where that gives another text. */
  async render(renderAt: (time: Date) => Promise<RenderResult>): Promise<RenderResult> {
    const present = new Date();
    const result = await renderAt(this.#last?.time ?? present);
    if (result.kind !== 'rendered' || result.time === 'not-read') return result;
    if (this.#last === undefined) {
      this.#last = await readWritten(this.#destination);
      return this.#last === undefined ? this.#keep(present, result) : this.render(renderAt);
    }
    if ((await computeDigest(Buffer.from(result.text))) === this.#last.digest) return result;
    return this.#keep(present, await renderAt(present));
  }

  async #keep(time: Date, result: RenderResult): Promise<RenderResult> {
    if (result.kind === 'rendered') this.#last = { time, digest: await computeDigest(Buffer.from(result.text)) };
    return result;
  }
}

async function readWritten(path: string): Promise<{ readonly time: Date; readonly digest: string } | undefined> {
  try {
    const { mtime } = await withinDeadline(path, () => stat(path));
    return { time: mtime, digest: await computeDigest(await readRegularBytes(path, { maxBytes })) };
  } catch {
    // Without the file, it is rendered at the present.
    return undefined;
  }
}
