import type { KvEntry } from '../model/catalog.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import { removalText } from '../model/continuity.ts';
import { mostIgnoredKeys } from '../model/judgement/consul.ts';
import { type IgnoredKey, isMarkerKey, readRecords } from '../model/records.ts';
import { consulCommand } from '../model/shell-words.ts';
import type { Log } from '../telemetry/log.ts';
import type { Conditions } from './conditions.ts';

interface IgnoredKeyReporterOptions {
  readonly prefix: string;
  readonly log: Log;
  readonly conditions: Conditions;
}

/** Logs each key among the records that holds no record, once, and notes those that somebody must correct. */
export class IgnoredKeyReporter {
  readonly #options: IgnoredKeyReporterOptions;
  #reported: ReadonlySet<string> = new Set();

  constructor(options: IgnoredKeyReporterOptions) {
    this.#options = options;
  }

  /** Takes Consul's answer for a tree of keys. Ignores every tree but the records. */
  observe(prefix: string, entries: readonly KvEntry[]): void {
    const { log, conditions } = this.#options;
    if (prefix !== this.#options.prefix) return;
    // `switchmaster forget` writes a mark and deletes it itself.
    const isMark = ({ key, value }: KvEntry) => value === removalText && isMarkerKey(key);
    const { ignoredKeys } = readRecords(
      entries.filter((entry) => !isMark(entry)),
      prefix,
    );
    conditions.noteIgnoredKeys(ignoredKeys.filter(({ kind }) => kind !== 'marker'));
    const added = ignoredKeys.filter((one) => !this.#reported.has(identify(one)));
    for (const one of added.slice(0, mostIgnoredKeys)) log.warn(fieldsOf(one, conditions.scope), 'key is no record');
    const further = added.length - mostIgnoredKeys;
    if (further > 0) log.warn({ prefix, further }, 'further keys are no records');
    this.#reported = new Set(ignoredKeys.map(identify));
  }
}

function fieldsOf({ key, message }: IgnoredKey, scope: ConsulScope | undefined) {
  return { key, why: message, hint: `delete it: ${consulCommand('kv delete', { scope, operands: [key] })}` };
}

function identify({ key, kind }: IgnoredKey): string {
  return `${kind} ${key}`;
}
