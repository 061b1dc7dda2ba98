// A default import: an older Node.js does not have the name, and must still get to the check of its version.
import crypto from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { namingPaths, type TemplateSpec } from '../model/template-spec.ts';
import { packageFolder } from '../package-files.ts';
import { namedFormat } from '../template/format.ts';

/*
 * The line at the head of a rendered file that names its writer and its template. It never changes by itself, and a file
 * that differs in nothing else is up to date: neither an upgrade nor `header: false` makes a consumer reload.
 */

type HeadSpec = Pick<TemplateSpec, 'source' | 'contents' | 'destination' | 'format' | 'upkeep' | 'header'>;

const pattern = /^# Written (?:once )?by switchmaster from /;
/** The head is in the first line, or in the second where the first names an interpreter. */
const longestHead = 8_192;

/** The text with its head, where the format has comments. */
export function addHead(text: string, spec: HeadSpec): string {
  const line = headLine(text, spec);
  if (line === undefined) return text;
  const at = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
  return text.startsWith('#!') && at === 0 ? text : `${text.slice(0, at)}${line}\n${text.slice(at)}`;
}

/** Whether switchmaster wrote the file, by its head. */
export function hasHead(bytes: Buffer): boolean {
  return findHead(startOf(bytes)) !== undefined;
}

/** SHA-256 of a file without its head, in hex. */
export function digestOf(bytes: Buffer): string {
  return digests.get(bytes) ?? crypto.hash('sha256', withoutHead(bytes));
}

/** The same, and {@link digestOf} knows it from then on. For a large file, another thread computes it. */
export async function computeDigest(bytes: Buffer): Promise<string> {
  if (bytes.length < largeBytes) return digestOf(bytes);
  const digest =
    digests.get(bytes) ?? Buffer.from(await crypto.subtle.digest('SHA-256', withoutHead(bytes))).toString('hex');
  digests.set(bytes, digest);
  return digest;
}

/** A digest of 32 MiB takes some hundred milliseconds. */
const largeBytes = 1024 * 1024;
const digests = new WeakMap<Buffer, string>();

/** The file without its head. */
export function withoutHead(bytes: Buffer): Buffer {
  const head = findHead(startOf(bytes));
  return head === undefined ? bytes : Buffer.concat([bytes.subarray(0, head.from), bytes.subarray(head.to)]);
}

/** The text without its head. */
export function textWithoutHead(text: string): string {
  const head = findHead(text);
  return head === undefined ? text : text.slice(0, head.from) + text.slice(head.to);
}

function headLine(text: string, spec: HeadSpec): string | undefined {
  const format = spec.format ?? namedFormat(...namingPaths(spec));
  if (spec.header !== 'line' || format === undefined || format === 'json' || format === 'text') return undefined;
  // Markup, a byte order mark, or nothing: a comment would break it, or says nothing.
  if (/^(?:\s*$|\s*<|\uFEFF)/.test(text)) return undefined;
  const from = nameSource(spec.source);
  return spec.upkeep === 'seed'
    ? `# Written once by switchmaster from ${from}.`
    : `# Written by switchmaster from ${from}. Changes here are replaced.`;
}

function nameSource(source: string): string {
  const bundled = dirname(source) === join(packageFolder, 'templates');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path may contain them, and a line of the file must not
  return bundled ? `the bundled ${basename(source)}` : source.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** One character for each byte. */
function startOf(bytes: Buffer): string {
  return bytes.subarray(0, longestHead).toString('latin1');
}

function findHead(text: string): { readonly from: number; readonly to: number } | undefined {
  const from = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
  if (!pattern.test(text.slice(from, from + 200))) return undefined;
  const end = text.indexOf('\n', from);
  return end === -1 ? undefined : { from, to: end + 1 };
}
