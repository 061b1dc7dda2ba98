import { type Placeholder, type TemplateFormat, ValueRefused } from './format.ts';
import { type WrittenOutput, writeOutput } from './output.ts';

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
  readonly piece: string | Placeholder;
  readonly pass: Pass | undefined;
}

/** Follows the loops of one render, and marks their passes in its text with NUL characters, as for values. */
export class PassTracker {
  readonly #passes: Pass[] = [];
  #current: Pass | undefined;

  /** Runs a loop; `render` gets what marks the text of one pass. */
  loop<T>(render: (within: (text: () => string) => string) => T): T {
    const loop: PassedLoop = { within: this.#current, passes: [] };
    return render((text) => this.#pass(loop, text));
  }

  #pass(loop: PassedLoop, text: () => string): string {
    const pass: Pass = { loop, leftOut: false };
    loop.passes.push(pass);
    this.#passes.push(pass);
    const mark = `\u0000<${this.#passes.length - 1}\u0000`;
    this.#current = pass;
    try {
      return `${mark}${text()}\u0000>\u0000`;
    } finally {
      this.#current = loop.within;
    }
  }

  /** The pieces of a text with marks: `placeholders` by their numbers. */
  split(marked: string, placeholders: readonly Placeholder[]): readonly PlacedPiece[] {
    let pass: Pass | undefined;
    // There may be a hundred thousand parts, so nothing is made for those that are no pieces.
    const pieces: PlacedPiece[] = [];
    let isText = false;
    for (const part of marked.split('\u0000')) {
      isText = !isText;
      if (isText) {
        if (part !== '') pieces.push({ piece: part, pass });
      } else if (part.startsWith('<')) pass = this.#passes[Number(part.slice(1))];
      else if (part === '>') pass = pass?.loop.within;
      else pieces.push({ piece: placeholders[Number(part)] as Placeholder, pass });
    }
    return pieces;
  }
}

/** With more of them, the data or the template is wrong as a whole. Each one writes the output once more. */
const mostLeftOut = 100;

/**
 * Writes the output without the passes whose values are refused; `onLeftOut` gets the reason of each. Throws `value-refused`
 * where no loop can do without the value.
 */
export function writePasses(
  format: TemplateFormat,
  placed: readonly PlacedPiece[],
  onLeftOut: (reason: ValueRefused) => void,
): WrittenOutput {
  const reasons: ValueRefused[] = [];
  for (;;) {
    try {
      const kept = reasons.length === 0 ? placed : placed.filter(({ pass }) => !isLeftOut(pass));
      const written = writeOutput(
        format,
        kept.map(({ piece }) => piece),
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
