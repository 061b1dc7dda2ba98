import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { withinDeadline } from '../file-system.ts';
import { readFollowedBytes } from '../followed-file.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { notUtf8, readRegularFile } from '../regular-file.ts';
import type { MergedConfig } from './merge.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { Secret } from './secret.ts';
import { describeUnreadable } from './unreadable.ts';

/** The origin of a setting: a path in the config files, or an environment variable. */
export type Setting = { readonly at: Path } | { readonly variable: string };

/** A value with the setting that it comes from. */
export interface Sourced<T> {
  readonly value: T;
  readonly setting: Setting;
}

/** Reads and compiles a template. Throws `template-invalid`. */
export type CompileTemplate = (
  spec: Pick<TemplateSpec, 'source' | 'contents' | 'destination' | 'format' | 'delimiters' | 'functionDenylist'>,
) => Promise<unknown>;

/** Reads files and variables for the sections of a config, and collects problems. */
export class Resolution {
  readonly environment: NodeJS.ProcessEnv;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  /** The files that were read, by their absolute paths. */
  readonly files = new Set<string>();
  /** What `--config` names: files and folders. */
  readonly paths: readonly string[];
  /** The config files. */
  readonly documents: readonly string[];
  /** Undefined where templates are not judged. */
  readonly compile: CompileTemplate | undefined;
  readonly #config: MergedConfig;

  constructor(
    config: MergedConfig,
    options: {
      readonly environment: NodeJS.ProcessEnv;
      readonly compile?: CompileTemplate | undefined;
      readonly paths: readonly string[];
      readonly documents: readonly string[];
    },
  ) {
    this.#config = config;
    this.environment = options.environment;
    this.compile = options.compile;
    this.paths = options.paths;
    this.documents = options.documents;
  }

  report(setting: Setting, problem: Pick<Problem, 'message' | 'hint' | 'kind'>): void {
    const place = 'at' in setting ? this.#config.place(setting.at) : undefined;
    this.problems.push({ path: nameOfSetting(setting), ...problem, ...(place === undefined ? {} : { place }) });
  }

  /** For what is valid, and probably not what its author wants. */
  warn(setting: Setting, problem: Pick<Problem, 'message' | 'hint'>): void {
    this.warnings.push({ path: nameOfSetting(setting), ...problem });
  }

  /** The text of a variable. An empty variable counts as unset, as for `consul`. */
  variable(name: string): string | undefined {
    const value = this.environment[name];
    return value === '' ? undefined : value;
  }

  secretVariable(name: string): Secret | undefined {
    const value = this.variable(name);
    return value === undefined ? undefined : new Secret(value);
  }

  /** The config file that has the setting; undefined for a variable. */
  fileOf(setting: Setting): string | undefined {
    return 'at' in setting ? this.#config.place(setting.at)?.file : undefined;
  }

  /** Resolves a path of a config file against the file's folder, and one of a variable against the working directory. */
  absolute(file: string, setting: Setting): string {
    const place = 'at' in setting ? this.#config.place(setting.at) : undefined;
    return place === undefined ? path.resolve(file) : path.resolve(path.dirname(place.file), file);
  }

  async readText(file: string, setting: Setting, read = readFollowedText): Promise<string | undefined> {
    const absolute = this.absolute(file, setting);
    this.files.add(absolute);
    try {
      return await read(absolute);
    } catch (thrown) {
      this.report(setting, describeUnreadable(absolute, thrown));
      return undefined;
    }
  }

  async readSecret(file: string, setting: Setting): Promise<Secret | undefined> {
    const content = await this.readText(file, setting, readUtf8);
    if (content === undefined) return undefined;
    const value = content.trim();
    if (value !== '') return new Secret(value);
    this.report(setting, { message: `${this.absolute(file, setting)} is empty`, kind: 'file' });
    return undefined;
  }

  /** The concatenated files of a folder of CA certificates. They are public, so links may lead anywhere. */
  async readFolder(folder: string, setting: Setting): Promise<string | undefined> {
    const absolute = this.absolute(folder, setting);
    try {
      const entries = await withinDeadline(absolute, () => readdir(absolute, { withFileTypes: true }));
      this.files.add(absolute);
      const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
      const paths = names.sort().map((name) => path.join(absolute, name));
      for (const one of paths) this.files.add(one);
      const texts = await Promise.all(paths.map((one) => readRegularFile(one)));
      return texts.join('\n');
    } catch (thrown) {
      this.report(setting, describeUnreadable(absolute, thrown));
      return undefined;
    }
  }
}

/** `consul.address`, or the variable's name. */
export function nameOfSetting(setting: Setting): string {
  return 'at' in setting ? formatPath(setting.at) : setting.variable;
}

async function readFollowedText(file: string): Promise<string> {
  return (await readFollowedBytes(file)).toString('utf8');
}

/** A password in another encoding is another password. */
async function readUtf8(file: string): Promise<string> {
  const bytes = await readFollowedBytes(file);
  if (!isUtf8(bytes)) throw new Error(notUtf8);
  return bytes.toString('utf8');
}
