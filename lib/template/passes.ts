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
  /** The passes that can be kept. */
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
  #current: Pass | undefined;

  constructor(recorder: PassRecorder) {
    this.#recorder = recorder;
  }

  /** Runs a loop; `render` gets what marks the text of the pass of one item. */
  loop<T>(at: LoopPlace, render: (within: (item: unknown, text: () => string) => string) => T): T {
    const loop: PassedLoop = { within: this.#current, passes: [] };
    return render((item, text) => this.#pass(loop, { ...at, item, text }));
  }

  #pass(loop: PassedLoop, of: LoopPlace & { readonly item: unknown; readonly text: () => string }): string {
    const pass: Pass = { loop, leftOut: false };
    loop.passes.push(pass);
    const number = this.#passes.push(pass) - 1;
    this.#current = pass;
    try {
      return `\u0000<${number}\u0000${this.#recall(of) ?? this.#render(number, of)}\u0000>\u0000`;
    } finally {
      this.#current = loop.within;
    }
  }

  #recall({ item, ...at }: LoopPlace & { readonly item: unknown }): string | undefined {
    const kept = this.#recorder.recall(item, at);
    if (kept === undefined) return undefined;
    const mark = `\u0000=${this.#recalled.push(kept) - 1}\u0000`;
    this.#unmarked += kept.of.characters - mark.length;
    return mark;
  }

  /** What `render` gives, and how many characters it would have if every pass were rendered. */
  measure(render: () => string): { readonly text: string; readonly characters: number } {
    const before = this.#unmarked;
    const text = render();
    return { text, characters: text.length + this.#unmarked - before };
  }

  #render(
    pass: number,
    { item, place, text }: LoopPlace & { readonly item: unknown; readonly text: () => string },
  ): string {
    return this.#recorder.render(item, { place, pass, render: text });
  }

  /** The pieces of a text with marks: `placeholders` by their numbers. */
  split(marked: string, placeholders: readonly Placeholder[]): PlacedOutput {
    let pass: Pass | undefined;
    // There may be a hundred thousand parts, so nothing is made for those that are no pieces.
    const pieces: PlacedPiece[] = [];
    const spans: OutputSpan[] = [];
    let begun: { readonly number: number; readonly pass: Pass | undefined; readonly start: number } | undefined;
    let isText = false;
    for (const part of marked.split('\u0000')) {
      isText = !isText;
      if (isText) {
        if (part !== '') pieces.push({ piece: part, pass });
      } else if (part.startsWith('<')) {
        const number = Number(part.slice(1));
        pass = this.#passes[number];
        if (this.#recorder.hasRendered(number)) begun = { number, pass, start: pieces.length };
      } else if (part === '>') {
        if (begun !== undefined && begun.pass === pass) {
          const { number, start } = begun;
          const keep: OutputSpan['keep'] = (written) => this.#recorder.write(number, written);
          if (pieces.length > start) spans.push({ start, end: pieces.length, keep });
          begun = undefined;
        }
        pass = pass?.loop.within;
      } else if (part.startsWith('=')) pieces.push({ piece: this.#recalled[Number(part.slice(1))] as KeptPass, pass });
      else pieces.push({ piece: placeholders[Number(part)] as Placeholder, pass });
    }
    return { pieces, spans };
  }
}

/** With more of them, the data or the template is wrong as a whole. Each one writes the output once more. */
const mostLeftOut = 100;

/**
 * Writes the output without the passes whose values are refused; `onLeftOut` gets the reason of each. undefined where a kept pass is not
 * at the beginning of a line. Throws `value-refused` where no loop can do without the value.
 */
export function writePasses(
  format: TemplateFormat,
  { pieces: placed, spans }: PlacedOutput,
  onLeftOut: (reason: ValueRefused) => void,
): WrittenOutput | undefined {
  const reasons: ValueRefused[] = [];
  for (;;) {
    try {
      const kept = reasons.length === 0 ? placed : placed.filter(({ pass }) => !isLeftOut(pass));
      const written = writeOutput(
        format,
        kept.map(({ piece }) => piece),
        reasons.length === 0 ? spans : [],
      );
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
