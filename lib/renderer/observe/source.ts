import { isUtf8 } from 'node:buffer';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { type FileWatch, stateOf } from '../../file-watch.ts';
import { readFollowedBytes } from '../../followed-file.ts';
import { namingPaths, type TemplateSpec } from '../../model/template-spec.ts';
import { readEmbedded } from '../../package-files.ts';
import { notUtf8 } from '../../regular-file.ts';
import { BoundedTemplate } from '../../template/bounded/template.ts';
import type { CompileInput } from '../../template/compile.ts';
import { inferFormat } from '../../template/format.ts';

const maxFileBytes = 4 * 1024 * 1024;

type SourceSpec = Pick<
  TemplateSpec,
  'source' | 'contents' | 'destination' | 'format' | 'delimiters' | 'functionDenylist'
>;

/** Reads and compiles a template, in place of the one `before`. Throws `template-invalid`. */
export async function compileSource(spec: SourceSpec, before?: BoundedTemplate): Promise<BoundedTemplate> {
  return BoundedTemplate.compile(await readTemplate(spec), before?.history);
}

/** Compiles a template to see whether that works. Throws `template-invalid`. */
export async function checkSource(spec: SourceSpec): Promise<Pick<BoundedTemplate, 'vars'>> {
  const template = await compileSource(spec);
  template.close();
  return { vars: template.vars };
}

/**
 * The files `_NAME.hbs` in the same folder are the partials of a template, called NAME. Throws `template-invalid`, or
 * `template-failed` where the file system does not answer in time: then it is read again.
 */
export async function readTemplate(spec: SourceSpec): Promise<CompileInput> {
  const { source, contents } = spec;
  const folder = dirname(source);
  const text = contents ?? (await readSource(source));
  const listed = readEmbedded(source) === undefined ? await list(folder) : [];
  const names = listed.filter((name) => name.startsWith('_') && name.endsWith('.hbs'));
  const partials = await Promise.all(
    names.map(async (file) => [file.slice(1, -4), { file, text: await readSource(join(folder, file)) }] as const),
  );
  const format = spec.format ?? inferFormat(...namingPaths(spec));
  const { functionDenylist: denied = [], delimiters } = spec;
  return {
    template: { file: templateName(spec), text },
    partials: new Map(partials),
    format,
    output: spec.destination,
    denied,
    ...(delimiters === undefined ? {} : { delimiters }),
  };
}

/** How messages name a template. */
export function templateName({ source, contents, destination }: SourceSpec): string {
  return contents === undefined ? basename(source) : `contents of ${basename(destination)}`;
}

/**
 * The files that a template reads by `file`. Each is read once, and again after {@link FileTexts.renew}. One that can no
 * longer be read keeps its former text: a file that somebody removed must not keep a change of master from the output.
 */
export class FileTexts {
  /** The state of each file just before it was read, for a {@link FileWatch}. */
  readonly states = new Map<string, string>();
  readonly #texts = new Map<string, string | SwitchmasterError>();
  readonly #former = new Map<string, string>();
  /** Why a file has its former text or an altered one, as a sentence. */
  readonly #problems = new Map<string, string>();
  readonly #sandbox: string | undefined;

  /** `sandbox`: the folder that the files must be in, whichever links lead there. */
  constructor(sandbox?: string) {
    this.#sandbox = sandbox;
  }

  /** Sentences about files that have their former text or an altered one. */
  get problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** Reads every file again when it is needed next. */
  renew(): void {
    this.#texts.clear();
    this.#problems.clear();
  }

  /** Reads the files again that could not be read. */
  retry(): void {
    for (const [path, text] of this.#texts) {
      if (text instanceof SwitchmasterError || this.#problems.has(path)) this.#texts.delete(path);
    }
    this.#problems.clear();
  }

  /** The render that was good did not read the others, so nothing watches them. */
  keepOnly(paths: readonly string[]): void {
    for (const path of this.#texts.keys()) {
      if (paths.includes(path)) continue;
      this.#texts.delete(path);
      this.#problems.delete(path);
    }
  }

  lookUp(path: string) {
    const text = this.#texts.get(path);
    if (text instanceof SwitchmasterError) throw text;
    return text === undefined ? ({ kind: 'unknown' } as const) : ({ kind: 'known', value: text } as const);
  }

  async load(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#texts.set(path, await this.#readOrKeep(path));
  }

  async #readOrKeep(path: string): Promise<string | SwitchmasterError> {
    try {
      const text = await this.#read(path);
      this.#former.set(path, text);
      return text;
    } catch (cause) {
      const error = SwitchmasterError.from(cause);
      const message = `cannot read the file ${path}: ${error.message}`;
      const former = error.code === 'template-failed' ? undefined : this.#former.get(path);
      if (former === undefined) return new SwitchmasterError('template-failed', message, { cause });
      this.#problems.set(path, `The template ${message}. The text that the file had before is used.`);
      return former;
    }
  }

  async #read(path: string): Promise<string> {
    this.states.set(path, await stateOf(path));
    const bytes = await (this.#sandbox === undefined
      ? readFollowedBytes(path, { maxBytes: maxFileBytes })
      : readWithin(this.#sandbox, path));
    if (!isUtf8(bytes))
      this.#problems.set(
        path,
        `The file ${path} does not hold UTF-8 text: U+FFFD stands for other bytes. Save it as UTF-8.`,
      );
    return bytes.toString('utf8');
  }
}

/** A file below the folder, whichever links lead there, also if they change meanwhile. */
async function readWithin(folder: string, path: string): Promise<Buffer> {
  const [real = '', root = ''] = await Promise.all(
    [path, folder].map((one) => withinDeadline(one, () => realpath(one))),
  );
  const requireInside = (one: string): undefined => {
    const from = relative(root, one);
    if (from === '' || from === '..' || from.startsWith(`..${sep}`))
      throw new SwitchmasterError('template-failed', `it is outside of sandboxPath ${folder}`);
  };
  requireInside(real);
  return readFollowedBytes(path, { maxBytes: maxFileBytes, accept: (_, opened) => requireInside(opened) });
}

function list(folder: string): Promise<readonly string[]> {
  return withinDeadline(folder, () => readdir(folder)).catch((cause) => Promise.reject(unread(folder, cause)));
}

/** Bytes in another encoding would become U+FFFD, which no consumer understands. */
async function readSource(path: string): Promise<string> {
  const embedded = readEmbedded(path);
  if (embedded !== undefined) return embedded;
  const bytes = await readFollowedBytes(path, { maxBytes: maxFileBytes }).catch((cause) =>
    Promise.reject(unread(path, cause)),
  );
  if (!isUtf8(bytes)) throw unread(path, new Error(`${notUtf8} (${placeOfOtherBytes(bytes)})`));
  return bytes.toString('utf8');
}

/** Where the first bytes are that are not UTF-8. */
function placeOfOtherBytes(bytes: Buffer): string {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, from);
    const own = bytes.subarray(from, end === -1 ? bytes.length : end);
    if (!isUtf8(own)) return `line ${line}, column ${own.toString('utf8').indexOf('\u{fffd}') + 1}`;
    from = end === -1 ? bytes.length : end + 1;
  }
  return `line ${line}`;
}

function unread(path: string, cause: NodeJS.ErrnoException): SwitchmasterError {
  const reason = cause.code === 'ENOENT' ? 'no such file' : cause.message;
  // A file system that was late, on a busy machine or over a network, may answer the next time.
  const code = cause.code === 'ETIMEDOUT' ? 'template-failed' : 'template-invalid';
  return new SwitchmasterError(code, `Cannot read the template ${path}: ${reason}.`, { cause });
}
