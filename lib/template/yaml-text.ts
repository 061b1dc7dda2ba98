import { Document, isScalar, parse, type ScalarTag, type Tags, visit } from 'yaml';
import { Markup } from './format.ts';
import { Float, toFloat, toInteger } from './number.ts';
import { compareText, isFields, sortedObject } from './ordered.ts';
import { isAmbiguous } from './yaml-scalar.ts';

/** A block of YAML as consul-template's toYAML writes it: fields by name, lists at the indentation of their field. */
export function formatYaml(value: unknown): string {
  // Its lines are indented, as those of a field are.
  if (typeof value === 'string' && value.includes('\n')) return formatYaml({ x: value }).slice('x: '.length);
  const document = new Document(inOrder(value), { version: '1.1', customTags: blockTags });
  visit(document, {
    Scalar(key, scalar) {
      if (typeof scalar.value !== 'string') return;
      // At the beginning of a line, these would begin or end a document.
      if (/^(?:---|\.\.\.|-$)/.test(scalar.value) && !unprintable.test(scalar.value)) scalar.type = 'QUOTE_SINGLE';
      else if (isAmbiguous(scalar.value) || unprintable.test(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
      else if (key !== 'key' && scalar.value.includes('\n')) scalar.type = 'BLOCK_LITERAL';
    },
  });
  return document
    .toString({ lineWidth: 0, indentSeq: false, singleQuote: true, flowCollectionPadding: false })
    .trimEnd()
    .replace(eachUnprintable, escapeCharacter);
}

/** What Go's writer puts into double quotes, as an escape. It takes the characters beyond U+FFFF for unprintable. */
const unprintable = /[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const eachUnprintable = new RegExp(unprintable, 'gu');

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
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
  const options = { version: '1.1', uniqueKeys: false, logLevel: 'error', intAsBigInt: true, customTags } as const;
  return fromYaml(parse(text, options));
}

/** Maps are only in the order of their fields, and `<<` is a name. */
function blockTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag !== 'object' || !/:(?:omap|pairs|set|merge)$/.test(tag.tag));
}

const leftOut = ['timestamp', 'omap', 'pairs', 'set'];

function customTags(tags: Tags): Tags {
  return [...tags, octalTag, binaryTag]
    .filter((tag) => typeof tag !== 'object' || !(leftOut.some((name) => tag.tag.endsWith(name)) || isTime(tag)))
    .map((tag) => (typeof tag === 'object' && tag.tag.endsWith(':float') ? floatTag(tag as ScalarTag) : tag));
}

function isTime(tag: Exclude<Tags[number], string>): boolean {
  return 'format' in tag && tag.format === 'TIME';
}

/** As in YAML 1.2, which Go takes too. */
const octalTag: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => BigInt(text.replace(/^[-+]/, '')) * (text.startsWith('-') ? -1n : 1n),
};

/** The bytes as a text. */
const binaryTag: ScalarTag = {
  tag: 'tag:yaml.org,2002:binary',
  resolve: (text) => Buffer.from(text, 'base64').toString(),
};

/** Keeps `1.0` apart from `1`, as Go does. */
function floatTag(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve(...args) {
      const [text] = args;
      // Such a text has no digits, or more than a number can have.
      if (!/^[-+]?\.(?:inf|nan)$/i.test(text) && !Number.isFinite(Number(text.replaceAll('_', '')))) return text;
      const resolved = tag.resolve(...args);
      if (!isScalar(resolved)) return typeof resolved === 'number' ? toFloat(resolved) : resolved;
      resolved.value = toFloat(Number(resolved.value));
      return resolved;
    },
  };
}

function fromYaml(value: unknown): unknown {
  if (typeof value === 'bigint')
    return value < -(2n ** 63n) || value >= 2n ** 64n ? toFloat(Number(value)) : toInteger(value);
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
  const [ours, theirs] = [[...a], [...b]];
  const at = ours.findIndex((sign, i) => sign !== theirs[i]);
  const [sign, other] = [ours[at], theirs[at]];
  if (sign === undefined || other === undefined) return ours.length - theirs.length;
  const [letter, otherLetter] = [/\p{L}/u.test(sign), /\p{L}/u.test(other)];
  if (letter || otherLetter) return letter && otherLetter ? compareText(sign, other) : letter ? 1 : -1;
  // A zero within a number counts as a digit of it.
  const isWithin = (sign === '0' || other === '0') && /[1-9]\d*$/.test(ours.slice(0, at).join(''));
  const [digits, others] = [digitsFrom(ours, at), digitsFrom(theirs, at)];
  const before = isWithin ? '1' : '0';
  return Number(before + digits) - Number(before + others) || digits.length - others.length || compareText(sign, other);
}

function digitsFrom(signs: readonly string[], at: number): string {
  return /^\d*/.exec(signs.slice(at).join(''))?.[0] ?? '';
}
