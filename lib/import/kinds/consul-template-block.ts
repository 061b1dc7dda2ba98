import { parseDuration } from '../../model/duration.ts';
import type { HclEntry, HclValue } from '../hcl.ts';
import type { ImportOutput } from '../output.ts';

/** A block of settings, read by name. What nobody reads is left to do. */
export class Block {
  readonly file: string;
  readonly line: number;
  readonly entries: readonly HclEntry[];
  readonly #output: ImportOutput;
  readonly #read = new Set<string>();

  constructor(
    output: ImportOutput,
    of: { readonly file: string; readonly line: number; readonly entries: readonly HclEntry[] },
  ) {
    this.#output = output;
    this.file = of.file;
    this.line = of.line;
    this.entries = of.entries;
  }

  /** The last entry of a name counts. */
  entry(key: string): HclEntry | undefined {
    this.#read.add(key);
    return this.entries.findLast((entry) => entry.key === key);
  }

  text(key: string): string | undefined {
    const value = this.entry(key)?.value;
    if (value === undefined) return undefined;
    const text = textOf(value);
    if (text === undefined) this.leave(key, `${key} is no text`, 'write it by hand');
    return text === '' ? undefined : text;
  }

  boolean(key: string): boolean | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : text === 'true';
  }

  list(key: string): readonly string[] | undefined {
    const value = this.entry(key)?.value;
    if (value === undefined) return undefined;
    const items = (value.kind === 'list' ? value.items : [value]).map(textOf);
    if (items.some((item) => item === undefined)) this.leave(key, `${key} is no list of texts`, 'write it by hand');
    return items.filter((item) => item !== undefined);
  }

  /** As it is written, if it means the same here. Go takes a number without a unit for nanoseconds. */
  duration(key: string): string | undefined {
    const text = this.text(key);
    if (text === undefined || isDuration(text)) return text;
    this.leave(key, `${key} is ${JSON.stringify(text)}`, 'write a duration such as 500ms, 10s or 1m30s');
    return undefined;
  }

  nested(key: string): Block {
    const entry = this.entry(key);
    const value = entry?.value;
    const first = value?.kind === 'list' ? value.items.at(-1) : value;
    const entries = first?.kind === 'object' ? first.entries : [];
    return new Block(this.#output, { file: this.file, entries, line: entry?.line ?? this.line });
  }

  leave(key: string, why: string, advice: string): void {
    this.#output.leave(this.file, { line: this.lineOf(key), what: key, why, advice });
  }

  differs(key: string, why: string, advice: string): void {
    this.#output.differs(this.file, { line: this.lineOf(key), what: key, why, advice });
  }

  lineOf(key: string): number {
    return this.entries.findLast((entry) => entry.key === key)?.line ?? this.line;
  }

  /** Reports every setting that nobody has read. */
  close(name: string): void {
    for (const { key } of this.entries) {
      if (!this.#read.has(key))
        this.leave(
          key,
          `switchmaster has no setting for ${key} of ${name}`,
          'see docs/reference/config.md for what it has',
        );
    }
  }
}

export function isDuration(text: string): boolean {
  return parseDuration(text) !== undefined;
}

function textOf(value: HclValue): string | undefined {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'number':
      return value.written;
    case 'boolean':
      return String(value.value);
    default:
      return undefined;
  }
}
