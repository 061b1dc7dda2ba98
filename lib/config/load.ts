import { type ReadDocuments, readDocuments } from './document.ts';
import { hintForKey } from './hint.ts';
import { explainIssues } from './issue.ts';
import { type MergedConfig, mergeDocuments } from './merge.ts';
import type { Config } from './model.ts';
import { configError, explainSome, type Found, formatPath, type Problem } from './problem.ts';
import { type CompileTemplate, Resolution } from './resolution.ts';
import { resolveConfig } from './resolve.ts';
import { checkRules } from './rules.ts';
import { defaultSections, type RawConfig, type SectionName, sections } from './schema.ts';
import { refuseVariables } from './variables.ts';

/** Sections that are lists. */
const lists: ReadonlySet<string> = new Set<SectionName>(['register', 'cluster', 'templates']);

/** Without a config: a bridge between a Sentinel and a Consul agent on this machine. */
const withoutConfig: Partial<RawConfig> = { sentinel: sections.sentinel.parse({}) };

export interface LoadOptions {
  readonly paths: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Reports templates that do not compile with the problems of the config. Default: they are not read. */
  readonly compile?: CompileTemplate;
}

/**
 * Reads, merges and validates the configuration, and reads the secrets it names. With no paths: a bridge from the
 * Sentinel on 127.0.0.1:26379 to the Consul that the environment names.
 *
 * @throws SwitchmasterError `config-invalid` with every problem, in `details.problems` and in the message
 */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  return (await loadRotating(options)).config;
}

/** A config, and the files of its secrets and certificates, which may be rotated. */
export interface RotatingConfig {
  readonly config: Config;
  /** Absolute paths, without those of the config files. */
  readonly files: readonly string[];
  /** The config files that were read, in order. */
  readonly documents: readonly string[];
  /** Reads these files again, for the same config files as before. Throws as {@link loadConfig} does. */
  refresh(): Promise<RotatingConfig>;
}

/** Like {@link loadConfig}. */
export async function loadRotating(options: LoadOptions): Promise<RotatingConfig> {
  return resolveDocuments(await readDocuments(options.paths), options);
}

async function resolveDocuments(read: ReadDocuments, options: LoadOptions): Promise<RotatingConfig> {
  const { documents, problems: reading } = read;
  const merged = mergeDocuments(documents);
  const parsed = parseSections(merged);
  const files = documents.map(({ file }) => file);
  const resolution = new Resolution(merged, { ...options, documents: files });
  const given = options.paths.length === 0 ? withoutConfig : parsed.raw;
  const config = await resolveConfig(resolution, { ...defaultSections, ...given });
  checkRules(resolution, config);
  refuseVariables(resolution, merged.value);
  const problems = [...reading, ...merged.problems, ...parsed.problems, ...resolution.problems];
  if (problems.length > 0) throw configError(problems);
  // A template that somebody edits meanwhile waits for its HUP.
  const { compile: _, ...again } = options;
  return {
    config: deepFreeze(config),
    files: [...resolution.files].sort(),
    documents: files,
    refresh: () => resolveDocuments(read, again),
  };
}

function parseSections(merged: MergedConfig): {
  readonly raw: Partial<RawConfig>;
  readonly problems: readonly Problem[];
} {
  const found: Found[] = [];
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(merged.value)) {
    if (!Object.hasOwn(sections, key)) {
      found.push({ section: unknownSections, explain: () => unknownSection(key, merged) });
      continue;
    }
    // A section without content, as in `sentinel:`, has its defaults.
    const given = value ?? (lists.has(key) ? [] : {});
    const parsed = sections[key as SectionName].safeParse(given);
    if (parsed.success) raw[key] = parsed.data;
    else {
      const explained = explainIssues(parsed.error.issues, { at: [key], config: merged });
      for (const explain of explained) found.push({ section: key, explain });
    }
  }
  return { raw, problems: explainSome(found) };
}

/** Together they are listed as one section. */
const unknownSections = '';

function unknownSection(key: string, merged: MergedConfig): Problem {
  const place = merged.place([key], 'key');
  return {
    path: formatPath([key]),
    message: 'unknown section',
    hint: hintForKey(key, []),
    ...(place === undefined ? {} : { place }),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
