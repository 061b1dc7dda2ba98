import { type Placeholder, type PrintSite, type TemplateFormat, ValueRefused } from './format.ts';
import type { KeptPass, PassRecorder } from './kept-passes.ts';
import { type OutputSpan, type WrittenOutput, writeOutput } from './output.ts';

/*
 * One unusable name in a list must not stop the others. If the format refuses a value, the output leaves out that pass of
 * the loop, and the rest is written. If a loop has no pass that can be written, the pass around that loop is left out: the
 * template is at fault then. If there is no pass around it, the whole output is refused.
 */

/** One pass of an `{{#each}}`. */
export interface Pass {
  readonly loop: PassedLoop;
  /** Set when a value in it was refused. */
  leftOut: boolean;
}

/** An `{{#each}}` that ran, within a pass of another one or not. */
interface PassedLoop {
  readonly within: Pass | undefined;
  readonly passes: Pass[];
}

/** A piece of the output, and the innermost pass that it comes from. */
interface PlacedPiece {
  readonly piece: string | Placeholder | KeptPass;
  readonly pass: Pass | undefined;
}

interface PlacedOutput {
  readonly pieces: readonly PlacedPiece[];
  /** The passes that may be kept. */
  readonly spans: readonly OutputSpan[];
}

/** An `{{#each}}` in the template. */
interface LoopPlace {
  readonly place: number;
  readonly site: PrintSite;
}

/** Follows the loops of one render, and marks their passes in its text with NUL characters, as for values. */
export class PassTracker {
  readonly #recorder: PassRecorder;
  readonly #passes: Pass[] = [];
  readonly #recalled: KeptPass[] = [];
  /** Characters of the recalled passes that their marks do not have. */
  #unmarked = 0;
  /** By the number of a recorded pass. */
  readonly #recorded = new Map<number, OutputSpan['keep']>();
  #current: Pass | undefined;

  constructor(recorder: PassRecorder) {
    this.#recorder = recorder;
  }

  /** Runs a loop; `render` gets what marks the text of the pass of one item. */
  loop<T>(at: LoopPlace, render: (within: (item: unknown, text: () => string) => string) => T): T {
    const loop: PassedLoop = { within: this.#current, passes: [] };
    const isKept = this.#recorder.isKept(at.place);
    return render((item, text) => {
      const kept = isKept ? this.#recorder.recall(item, at) : undefined;
      if (kept !== undefined) return this.#recall(kept);
      const isRecorded = isKept && this.#recorder.takes(item);
      return this.#pass(loop, (number) =>
        isRecorded ? this.#record(number, { item, text, place: at.place }) : text(),
      );
    });
  }

  #pass(loop: PassedLoop, render: (number: number) => string): string {
    const pass: Pass = { loop, leftOut: false };
    loop.passes.push(pass);
    const number = this.#passes.push(pass) - 1;
    this.#current = pass;
    try {
      return `\u0000<${number}\u0000${render(number)}\u0000>\u0000`;
    } finally {
      this.#current = loop.within;
    }
  }

  #recall(kept: KeptPass): string {
    const mark = kept.text === '' ? '' : `\u0000=${this.#recalled.push(kept) - 1}\u0000`;
    this.#unmarked += kept.marked - mark.length;
    return mark;
  }

  #record(number: number, { item, text, place }: { item: unknown; text: () => string; place: number }): string {
    const { text: marked, finish } = this.#recorder.record(item, text);
    this.#recorded.set(number, (written) => this.#recorder.keep(place, finish(written)));
    return marked;
  }

  /** What `render` gives, and how many characters it would have if every pass were rendered. */
  measure(render: () => string): { readonly text: string; readonly characters: number } {
    const before = this.#unmarked;
    const text = render();
    return { text, characters: text.length + this.#unmarked - before };
  }

  /** The pieces of a text with marks: `placeholders` by their numbers. */
  split(marked: string, placeholders: readonly Placeholder[]): PlacedOutput {
    let pass: Pass | undefined;
    // There may be a hundred thousand parts, so nothing is made for those that are no pieces.
    const pieces: PlacedPiece[] = [];
    const spans: OutputSpan[] = [];
    let begun:
      | { readonly pass: Pass | undefined; readonly start: number; readonly keep: OutputSpan['keep'] }
      | undefined;
    let isText = false;
    for (const part of marked.split('\u0000')) {
      isText = !isText;
      if (isText) {
        if (part !== '') pieces.push({ piece: part, pass });
      } else if (part.startsWith('<')) {
        const number = Number(part.slice(1));
        pass = this.#passes[number];
        const keep = this.#recorded.get(number);
        if (keep !== undefined) begun = { pass, start: pieces.length, keep };
      } else if (part === '>') {
        if (begun !== undefined && begun.pass === pass) {
          spans.push({ start: begun.start, end: pieces.length, keep: begun.keep });
          begun = undefined;
        }
        pass = pass?.loop.within;
      } else if (part.startsWith('=')) pieces.push({ piece: this.#recalled[Number(part.slice(1))] as KeptPass, pass });
      else pieces.push({ piece: placeholders[Number(part)] as Placeholder, pass });
    }
    for (const { start, end, keep } of spans) if (start === end) keep('');
    return { pieces, spans: spans.filter(({ start, end }) => start < end) };
  }
}

/** With more of them, the data or the template is wrong as a whole. Each one writes the output once more. */
const mostLeftOut = 100;

/**
 * Writes the output without the passes whose values are refused; `onLeftOut` gets the reason of each. undefined where the kept passes
 * in it do not fit: they may be what a value makes wrong. Throws `value-refused` where no loop can do without the value.
 */
export function writePasses(
  format: TemplateFormat,
  { pieces: placed, spans }: PlacedOutput,
  onLeftOut: (reason: ValueRefused) => void,
): WrittenOutput | undefined {
  const reasons: ValueRefused[] = [];
  for (;;) {
    try {
      const left = reasons.length === 0 ? placed : placed.filter(({ pass }) => !isLeftOut(pass));
      const pieces = left.map(({ piece }) => piece);
      const written = writeOutput(format, reasons.length === 0 ? { pieces, spans } : { pieces });
      for (const reason of reasons) onLeftOut(reason);
      return written;
    } catch (thrown) {
      if (!(thrown instanceof ValueRefused) || reasons.length === mostLeftOut) throw thrown;
      const pass = placed.find(({ piece }) => piece === thrown.placeholder)?.pass;
      if (pass === undefined) throw thrown;
      if (!leaveOut(pass)) throw reasons[0] ?? thrown;
      reasons.push(thrown);
    }
  }
}

function isLeftOut(pass: Pass | undefined): boolean {
  return pass !== undefined && (pass.leftOut || isLeftOut(pass.loop.within));
}

/** False where no pass around it can be left out. */
function leaveOut(pass: Pass): boolean {
  pass.leftOut = true;
  const { passes, within } = pass.loop;
  return passes.some((one) => !one.leftOut) || (within !== undefined && leaveOut(within));
}
