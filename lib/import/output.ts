import { isAbsolute } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { GoSyntaxError } from './go/syntax.ts';
import type { GoTemplateOptions, ImportedTemplate } from './handlebars/template.ts';
import { importGoTemplate } from './handlebars/template.ts';
import { importInvalid } from './problem.ts';
import type { Remark, RemarkText } from './remark.ts';

/** A file that an import reads. */
export interface ImportFile {
  readonly path: string;
  readonly text: string;
}

/** A file that an import writes, below the folder of the result. */
export interface ResultFile {
  readonly name: string;
  readonly text: string;
}

export interface ImportResult {
  readonly files: readonly ResultFile[];
  /** By file and line. */
  readonly remarks: readonly Remark[];
}

/** A file that the imported one names. `beside`: not at its path, but of the same name beside the imported one. */
export interface NamedFile extends ImportFile {
  readonly place: 'named' | 'beside';
}

/** `why`: after the path and `cannot be read:`. */
export interface UnreadFile {
  readonly place: 'none';
  readonly why: string;
}

/** Finds a file that the imported one names. */
export type ReadFile = (path: string, from: string) => Promise<NamedFile | UnreadFile>;

/** Collects what an import gives. */
export class ImportOutput {
  readonly #remarks: Remark[] = [];
  readonly #templates = new Map<string, string>();
  /** By where a file was read: the path that the imported one names. */
  readonly #read = new Map<string, { readonly named: string; readonly place: NamedFile['place'] }>();

  /** Something is missing in the result, and somebody must add it. */
  leave(file: string, text: RemarkText): void {
    this.#remarks.push({ file, kind: 'todo', ...text });
  }

  /** The result works, but not in the same way. */
  differs(file: string, text: RemarkText): void {
    this.#remarks.push({ file, kind: 'difference', ...text });
  }

  /** A path that would begin at another folder here. */
  expectAbsolute(file: string, { line, what, path }: { line: number; what: string; path: string }): void {
    if (isAbsolute(path)) return;
    const why = `${path} is relative, and switchmaster takes it from the folder of its config`;
    this.leave(file, { line, what, why, advice: 'write the whole path' });
  }

  /** A file that the imported one names in `line`. Reports if another file is read in its place. */
  async read(
    read: ReadFile,
    {
      what,
      path,
      from,
      line,
    }: { readonly what: string; readonly path: string; readonly from: string; readonly line: number },
  ): Promise<ImportFile | UnreadFile> {
    const found = await read(path, from);
    if (found.place === 'none') return { ...found, why: `${path} cannot be read: ${found.why}` };
    const other = this.#read.get(found.path);
    this.#read.set(found.path, { named: path, place: found.place });
    const isShared = other !== undefined && other.named !== path;
    if (isShared && (found.place === 'beside' || other.place === 'beside')) {
      const why = `${path} cannot be read, and ${found.path} was read in its place, as for ${other.named}`;
      this.leave(from, { line, what, why, advice: 'import it again where both files are' });
    } else if (found.place === 'beside') {
      const why = `${path} cannot be read, and ${found.path} was read in its place`;
      this.differs(from, { line, what, why, advice: 'make sure that it is the same file' });
    }
    return found;
  }

  /** Translates a template of consul-template, and returns the `source` for its entry in the config. */
  addGoTemplate(
    { path, text }: ImportFile,
    options: Omit<GoTemplateOptions, 'prefix'> & { readonly firstLine?: number } = {},
  ): string {
    const { firstLine = 1, ...rest } = options;
    const name = this.#freeName(path.replace(/^.*\//, '').replace(/\.(?:ctmpl|tpl|tmpl|hcl|json)$/, ''));
    const template = readTemplate(
      { path, text },
      { ...rest, prefix: this.#templates.size === 0 ? '' : `${name}-`, firstLine },
    );
    for (const { line, ...remark } of template.remarks) this.leave(path, { ...remark, line: line + firstLine - 1 });
    for (const [partial, content] of template.partials) this.#templates.set(`_${partial}.hbs`, content);
    this.#templates.set(`${name}.hbs`, template.text);
    return `./${name}.hbs`;
  }

  addTemplate(name: string, text: string): string {
    const free = this.#freeName(name);
    this.#templates.set(`${free}.hbs`, text);
    return `./${free}.hbs`;
  }

  #freeName(name: string): string {
    const plain = name.replace(/[^\w.-]+/g, '-').replace(/^[_.]+/, '') || 'template';
    for (let number = 1; ; number++) {
      const free = number === 1 ? plain : plain.replace(/(?=\.|$)/, `-${number}`);
      if (!this.#templates.has(`${free}.hbs`)) return free;
    }
  }

  finish(config: Readonly<Record<string, unknown>>): ImportResult {
    const files = [...this.#templates].map(([name, text]) => ({ name, text }));
    const remarks = this.#remarks.toSorted((a, b) => (a.file === b.file ? a.line - b.line : 0));
    return { files: [{ name: 'switchmaster.yml', text: writeConfig(config, remarks) }, ...files], remarks };
  }
}

function readTemplate(
  file: ImportFile,
  { firstLine, ...options }: GoTemplateOptions & { readonly firstLine: number },
): ImportedTemplate {
  try {
    return importGoTemplate(file.text, options);
  } catch (thrown) {
    if (thrown instanceof GoSyntaxError)
      throw importInvalid({ file: file.path, line: thrown.line + firstLine - 1 }, thrown.message);
    throw thrown;
  }
}

/** What is left to do is at the top, because a config has no place for what it lacks. */
function writeConfig(config: Readonly<Record<string, unknown>>, remarks: readonly Remark[]): string {
  const document = parseDocument(stringify(config, { lineWidth: 0 }));
  const left = remarks.filter(({ kind }) => kind === 'todo');
  const lines = left.map(({ file, line, why, advice }) => ` To do by hand, ${file}:${line}: ${why}: ${advice}.`);
  if (lines.length > 0) document.commentBefore = lines.map((line) => line.replace(/[\r\n]+/g, ' ')).join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
