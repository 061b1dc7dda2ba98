import { Document, isScalar, parse, type ScalarTag, type Tags, visit } from 'yaml';
import { hasControl, Markup } from './format.ts';
import { Float, toFloat, toInteger } from './number.ts';
import { compareText, isFields, sortedObject } from './ordered.ts';
import { isAmbiguous } from './yaml-scalar.ts';

/** A block of YAML as consul-template's toYAML writes it: fields by name, lists at the indentation of their field. */
export function formatYaml(value: unknown): string {
  const document = new Document(inOrder(value), { version: '1.1', customTags: blockTags });
  visit(document, {
    Scalar(key, scalar) {
      if (typeof scalar.value !== 'string') return;
      if (isAmbiguous(scalar.value) || hasControl(scalar.value.replaceAll('\n', ''))) scalar.type = 'QUOTE_DOUBLE';
      else if (key !== 'key' && scalar.value.includes('\n')) scalar.type = 'BLOCK_LITERAL';
    },
  });
  return document
    .toString({ lineWidth: 0, indentSeq: false, singleQuote: true, flowCollectionPadding: false })
    .trimEnd();
}

/** The same on one line, for a place within a line. */
export function formatYamlLine(value: unknown): string {
  const document = new Document(inOrder(value));
  return document
    .toString({
      collectionStyle: 'flow',
      lineWidth: 0,
      flowCollectionPadding: false,
      defaultStringType: 'QUOTE_DOUBLE',
    })
    .trimEnd();
}

/** YAML 1.1 without dates and times, which stay texts. Fields come by name. */
export function parseYaml(text: string): unknown {
  const options = { version: '1.1', uniqueKeys: false, logLevel: 'silent', intAsBigInt: true, customTags } as const;
  return fromYaml(parse(text, options));
}

/** Maps are only in the order of their fields, and `<<` is a name. */
function blockTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag !== 'object' || !/:(?:omap|pairs|set|merge)$/.test(tag.tag));
}

const leftOut = ['timestamp', 'binary', 'omap', 'pairs', 'set'];

function customTags(tags: Tags): Tags {
  return tags
    .filter((tag) => typeof tag !== 'object' || !(leftOut.some((name) => tag.tag.endsWith(name)) || isTime(tag)))
    .map((tag) => (typeof tag === 'object' && tag.tag.endsWith(':float') ? floatTag(tag as ScalarTag) : tag));
}

function isTime(tag: Exclude<Tags[number], string>): boolean {
  return 'format' in tag && tag.format === 'TIME';
}

/** Keeps `1.0` apart from `1`, as Go does. */
function floatTag(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve(...args) {
      const resolved = tag.resolve(...args);
      if (!isScalar(resolved)) return typeof resolved === 'number' ? toFloat(resolved) : resolved;
      resolved.value = toFloat(Number(resolved.value));
      return resolved;
    },
  };
}

function fromYaml(value: unknown): unknown {
  if (typeof value === 'bigint') return toInteger(value);
  if (Array.isArray(value)) return value.map(fromYaml);
  if (!isFields(value)) return value;
  return sortedObject(Object.entries(value).map(([name, inner]) => [name, fromYaml(inner)] as const));
}

/** As Maps, which keep any order. */
function inOrder(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (value instanceof Markup) return value.text;
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isFields(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return new Map(entries.sort(([a], [b]) => compareNaturally(a, b)).map(([name, inner]) => [name, inOrder(inner)]));
}

/** Numbers within names by their value, and signs before letters (go-yaml, sorter.go). */
function compareNaturally(a: string, b: string): number {
  const parts = (text: string) => text.match(/\d+|[^\d]/gu) ?? [];
  const [ours, theirs] = [parts(a), parts(b)];
  for (const [i, part] of ours.entries()) {
    const other = theirs[i];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [letter, otherLetter] = [/^\p{L}/u.test(part), /^\p{L}/u.test(other)];
    if (letter !== otherLetter) return letter ? 1 : -1;
    if (/^\d/.test(part) && /^\d/.test(other)) return Number(part) - Number(other) || part.length - other.length;
    return compareText(part, other);
  }
  return ours.length - theirs.length;
}
