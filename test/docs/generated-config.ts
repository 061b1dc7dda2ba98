import { configSchema } from '../../lib/config/schema.ts';
import { type ConfigKey, keysOf, ofItsKeys } from './config-keys.ts';
import type { GeneratedPart } from './generated.ts';
import { type GeneratedRow, tableWithMeanings } from './markdown-table.ts';

/* The tables of docs/reference/config.md: keys, types and defaults from the schema. What a key means is written by hand. */

const page = 'docs/reference/config.md';
const head = ['key', 'type', 'default', 'meaning'];

/** The page describes client TLS once for all places, and a single probe like a list of probes. */
function documentedName(path: string): string {
  return path.replace(/^(?!api\.|sentinelEndpoint\.).*\.tls\.(\w+)$/, 'tls.$1').replace('.redis[].', '.redis.');
}

/** Where two schemas have the same name in the page, the first one that has a default counts. */
function documentedKeys(): readonly ConfigKey[] {
  const keys = new Map<string, ConfigKey>();
  for (const key of keysOf(configSchema)) {
    const path = documentedName(key.path);
    const known = keys.get(path);
    keys.set(path, { ...key, path, default: known?.default ?? key.default });
  }
  return [...keys.values()];
}

/** A section that only holds a map or a list has prose in place of a row. */
const tables: Readonly<Record<string, RegExp>> = {
  environment: /^environment$/,
  consul: /^consul\./,
  register: /^register\[\]\./,
  sentinel: /^sentinel\./,
  cluster: /^cluster\[\]\./,
  sentinelEndpoint: /^sentinelEndpoint\./,
  templates: /^templates\[\]\./,
  api: /^api(?:\.|$)/,
  log: /^log\./,
  journal: /^journal\./,
  tls: /^tls\./,
};

function rowOf({ path, type, required, default: value }: ConfigKey): GeneratedRow {
  const known = required ? 'required' : value === undefined || value === ofItsKeys ? value : `\`${value}\``;
  const cells = ([, , written = '']: readonly string[]) => [
    `\`${path}\``,
    type,
    says(written, known) ? written : (known ?? 'none'),
  ];
  return { name: path, cells };
}

/** What a part does without a key may be more than the schema knows, such as a variable of the environment, or another key. */
function says(written: string, known: string | undefined): boolean {
  if (known === undefined) return written !== '';
  return written.includes(known) || written.startsWith('required without');
}

export const configParts: readonly GeneratedPart[] = Object.entries(tables).map(([name, pattern]) => ({
  name: `keys-${name}`,
  page,
  write: (current) =>
    tableWithMeanings(
      head,
      documentedKeys()
        .filter(({ path }) => pattern.test(path))
        .map(rowOf),
      current,
    ),
}));

/** Keys that no table has. */
export function keysWithoutTable(): readonly string[] {
  const isListed = (path: string) => Object.values(tables).some((pattern) => pattern.test(path));
  return documentedKeys().flatMap(({ path }) => (isListed(path) ? [] : [path]));
}
