/** A program that ends by itself so many times in a row is a problem. */
const problemEnds = 3;

/** How a supervised program ended by itself, since it last ran for long. */
export class ProgramEnds {
  readonly #program: string;
  #count = 0;
  #how = '';
  #lastLine = '';

  constructor(program: string) {
    this.#program = program;
  }

  wrote(line: string): void {
    this.#lastLine = line;
  }

  /** `after`: whether it had run for long. */
  ended(how: string, after: 'long' | 'short'): void {
    this.#count = after === 'long' ? 1 : this.#count + 1;
    this.#how = how;
  }

  /** A sentence; undefined where the program ended too few times in a row. */
  get problem(): string | undefined {
    if (this.#count < problemEnds) return undefined;
    const output = this.#lastLine === '' ? 'It wrote nothing.' : `Its last line: ${this.#lastLine}`;
    return `${this.#program} does not keep running: ${this.#how}, ${this.#count} times in a row. ${output}`;
  }
}
