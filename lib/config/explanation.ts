import { formatAddress } from '../model/address.ts';
import { isMap } from '../model/json.ts';
import { defaultConsulAddress } from './defaults.ts';
import { readDocuments } from './document.ts';
import { type MergedConfig, mergeDocuments } from './merge.ts';
import { formatPath, formatPlace, type Path } from './problem.ts';
import { defaultSections, type SectionName, sections } from './schema.ts';

/* The settings in use, and where each comes from, for people. Files of secrets are named and not read. */

export interface ExplainedSetting {
  readonly path: string;
  /** As in a config file. */
  readonly value: unknown;
  /** A place in a file, the name of a variable, or `default`. */
  readonly from: string;
}

/** Variables of the environment, and what they set where the file does not. The last ones are secrets. */
const variables: Readonly<Record<string, Path>> = {
  CONSUL_HTTP_ADDR: ['consul', 'address'],
  CONSUL_HTTP_SSL: ['consul', 'tls'],
  CONSUL_HTTP_TOKEN_FILE: ['consul', 'tokenFile'],
  CONSUL_NAMESPACE: ['consul', 'namespace'],
  CONSUL_PARTITION: ['consul', 'partition'],
  CONSUL_CACERT: ['consul', 'tls', 'caFile'],
  CONSUL_CAPATH: ['consul', 'tls', 'caPath'],
  CONSUL_CLIENT_CERT: ['consul', 'tls', 'certFile'],
  CONSUL_CLIENT_KEY: ['consul', 'tls', 'keyFile'],
  CONSUL_TLS_SERVER_NAME: ['consul', 'tls', 'serverName'],
  CONSUL_HTTP_SSL_VERIFY: ['consul', 'tls', 'verify'],
  CONSUL_HTTP_TOKEN: ['consul', 'token'],
  CONSUL_HTTP_AUTH: ['consul', 'auth'],
  SWITCHMASTER_SENTINEL_PASSWORD: ['sentinel', 'password'],
  SWITCHMASTER_REDIS_PASSWORD: ['sentinel', 'redis', 'password'],
  SWITCHMASTER_API_TOKEN: ['api', 'token'],
};
const secretVariables = /TOKEN$|AUTH$|PASSWORD$/;
/** Names of `vars` and other settings that may hold a secret itself; a name of a file is none. */
const secretNames = /password|passwd|secret|token|(?:^|_)auth(?:$|_)/i;
const fileNames = /file$|path$|source$/i;

/** The settings of a config that {@link loadConfig} accepts. */
export async function explainConfig(options: {
  readonly paths: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}): Promise<readonly ExplainedSetting[]> {
  const { documents } = await readDocuments(options.paths);
  const merged = mergeDocuments(documents);
  const given = options.paths.length === 0 ? { sentinel: {} } : merged.value;
  const names = Object.keys(sections).filter(
    (name) => Object.hasOwn(given, name) || Object.hasOwn(defaultSections, name),
  );
  const walk = new Walk(merged, options.environment);
  for (const name of names as SectionName[]) {
    const written = given[name] ?? (Array.isArray(defaultSections[name as keyof typeof defaultSections]) ? [] : {});
    const parsed = sections[name].safeParse(written);
    walk.visit([name], { written: given[name], parsed: parsed.success ? parsed.data : undefined });
  }
  const { settings } = walk;
  const hasAddress = settings.some(({ path }) => path === 'consul.address');
  const address = { path: 'consul.address', value: formatAddress(defaultConsulAddress), from: 'default' };
  return hasAddress ? settings : [address, ...settings];
}

class Walk {
  readonly settings: ExplainedSetting[] = [];
  readonly #merged: MergedConfig;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(merged: MergedConfig, environment: NodeJS.ProcessEnv) {
    this.#merged = merged;
    this.#environment = environment;
  }

  visit(at: Path, { written, parsed }: { readonly written: unknown; readonly parsed: unknown }): void {
    if (written === undefined && (!isMap(parsed) || isAddress(parsed))) {
      this.#addDefault(at, parsed);
      return;
    }
    if (Array.isArray(written) && written.some(isMap)) {
      for (const [i, item] of written.entries())
        this.visit([...at, i], { written: item, parsed: Array.isArray(parsed) ? parsed[i] : undefined });
      return;
    }
    if (!isMap(written ?? {})) {
      this.#add(at, written, this.#place(at));
      return;
    }
    const fields = (written ?? {}) as Record<string, unknown>;
    for (const [key, value] of Object.entries(fields))
      this.visit([...at, key], { written: value, parsed: isMap(parsed) ? parsed[key] : undefined });
    for (const [key, value] of Object.entries(isMap(parsed) ? parsed : {}))
      if (!Object.hasOwn(fields, key) && accepts(this.#merged, [...at, key], value))
        this.visit([...at, key], { written: undefined, parsed: value });
    this.#addVariables(at, fields);
  }

  #addVariables(at: Path, fields: Readonly<Record<string, unknown>>): void {
    for (const [name, path] of Object.entries(variables)) {
      const value = this.#environment[name];
      const key = String(path.at(-1));
      const nested = path.length === at.length + 1 && at.every((step, i) => path[i] === step);
      const missing = at.length === 1 && at[0] === path[0] && path.length > 2 && fields[String(path[1])] === undefined;
      if (value === undefined || value === '' || !(nested || missing) || (nested && Object.hasOwn(fields, key)))
        continue;
      this.settings.push({
        path: formatPath(path),
        value: secretVariables.test(name) ? '[redacted]' : value,
        from: name,
      });
    }
  }

  #addDefault(at: Path, value: unknown): void {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
    const name = Object.entries(variables).find(([, path]) => formatPath(path) === formatPath(at))?.[0];
    if (name !== undefined && this.#environment[name] !== undefined) return;
    this.#add(at, this.#toWritten(at, value), 'default');
  }

  #add(at: Path, value: unknown, from: string): void {
    const key = String(at.findLast((step) => typeof step === 'string') ?? '');
    const isSecret = secretNames.test(key) && !fileNames.test(key) && typeof value !== 'boolean';
    this.settings.push({ path: formatPath(at), value: isSecret ? '[redacted]' : value, from });
  }

  /** A default in the form of a config file. */
  #toWritten(at: Path, value: unknown): unknown {
    const base = this.#merged.value;
    // The schema takes a duration there: it takes a text with a unit.
    const isDuration = typeof value === 'number' && parses(at, '1s', base) && !parses(at, 'no duration', base);
    return isDuration ? formatDuration(value) : toPlain(value);
  }

  #place(at: Path): string {
    const place = this.#merged.place(at);
    return place === undefined ? 'default' : formatPlace(place);
  }
}

/** Whether a setting is one that a file may have: a section may derive others from what is written. */
function accepts(merged: MergedConfig, at: Path, value: unknown): boolean {
  return parses(at, toPlain(value), merged.value);
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (isAddress(value)) return formatAddress(value);
  return isMap(value)
    ? Object.fromEntries(
        Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, toPlain(inner)]])),
      )
    : value;
}

function parses([section, ...rest]: Path, value: unknown, base: Readonly<Record<string, unknown>>): boolean {
  const schema = sections[section as SectionName];
  return schema.safeParse(withValue(base[String(section)], rest, value)).success;
}

function withValue(base: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(base) ? [...base] : [];
    list[step] = withValue(list[step], rest, value);
    return list;
  }
  const map = isMap(base) ? base : {};
  return { ...map, [step]: withValue(map[step], rest, value) };
}

function formatDuration(ms: number): string {
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms >= 1_000 && ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function isAddress(value: unknown): value is { readonly host: string; readonly port: number } {
  return (
    isMap(value) && Object.keys(value).length === 2 && typeof value.host === 'string' && typeof value.port === 'number'
  );
}
