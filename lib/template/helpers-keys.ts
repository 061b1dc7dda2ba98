import type { KvEntry } from '../model/catalog.ts';
import { splitDatacenter } from './datacenter.ts';
import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';

/** Helpers that read Consul's keys, under consul-template's names and with its meaning. */
export const keyHelpers = {
  key: {
    kind: 'value',
    takes: [1, 1],
    usage: '(key "path@dc")',
    run(call) {
      const answer = readKey(call);
      if (answer === undefined) return '';
      if (answer.value !== undefined) return textOf(call, answer.value);
      const path = textArgument(call, 0);
      if (answer.former !== undefined) {
        call.scope.warnings.add(`There is no key "${path}" in Consul any more: the value that it had is used.`);
        return textOf(call, answer.former);
      }
      throw templateFailure(`there is no key "${path}" in Consul: use keyOrDefault if it may be missing.`);
    },
  },
  keyOrDefault: {
    kind: 'value',
    takes: [2, 2],
    usage: '(keyOrDefault "path@dc" "text")',
    run(call) {
      const entry = readKey(call)?.value;
      const text = entry === undefined ? '' : textOf(call, entry);
      return text === '' ? call.args[1] : text;
    },
  },
  keyBase64: {
    kind: 'value',
    takes: [1, 1],
    usage: '(keyBase64 "path@dc")',
    run(call) {
      const entry = readKey(call)?.value;
      return entry?.base64 ?? Buffer.from(entry?.value ?? '').toString('base64');
    },
  },
  keyExists: {
    kind: 'value',
    takes: [1, 1],
    usage: '(keyExists "path@dc")',
    run: (call) => readKey(call)?.value !== undefined,
  },
  ls: { kind: 'value', takes: [1, 1], usage: '(ls "folder/@dc")', run: readFolder },
  safeLs: { kind: 'value', takes: [1, 1], usage: '(safeLs "folder/@dc")', run: (call) => filled(call, readFolder) },
  tree: { kind: 'value', takes: [1, 1], usage: '(tree "folder/@dc")', run: readTree },
  safeTree: { kind: 'value', takes: [1, 1], usage: '(safeTree "folder/@dc")', run: (call) => filled(call, readTree) },
} satisfies Record<string, HelperDefinition>;

/** `path@dc`. A path may contain an `@` before a slash, a datacenter may not contain one. */
function splitKey(text: string): ReturnType<typeof splitDatacenter> {
  const { path, ...dc } = splitDatacenter(text);
  return { path: requested(path), ...dc };
}

/** The path that Consul reads: it takes several slashes for one. Dots would lead out of the folder that a template names. */
function requested(path: string): string {
  if (path.split('/').some((step) => step === '.' || step === '..'))
    throw templateFailure(`"${path}": Consul takes "." and ".." in a path for steps to another key.`);
  return path.replace(/\/{2,}/g, '/').replace(/^\//, '');
}

function readKey(call: HelperCall) {
  const text = textArgument(call, 0);
  const { path, ...dc } = call.scope.listed.keys.has(text) ? { path: requested(text) } : splitKey(text);
  // Where a computed part is empty, Consul would read the key of another folder.
  if (/[^/]\/\//.test(text)) throw templateFailure(`a part of the path of the key "${text}" is empty.`);
  if (path === '') throw templateFailure('the key is empty.');
  return call.scope.read({ kind: 'key', key: path, ...dc });
}

/** A key's text. If it is not UTF-8, a warning reports that, and the render continues. */
function textOf(call: HelperCall, { key, value, base64 }: KvEntry): string {
  if (base64 !== undefined) {
    call.scope.warnings.add(`The key "${key}" does not hold UTF-8 text: read it by keyBase64.`);
  }
  return value;
}

interface ShownPair {
  readonly path: string;
  readonly key: string;
  readonly value: string;
}

/** Pairs whose key begins with a text, without it, and without the markers of folders. */
function readTree(call: HelperCall): readonly ShownPair[] {
  const text = textArgument(call, 0);
  const { path: prefix, ...dc } = splitKey(text);
  if (prefix === '' && !text.startsWith('/')) throw templateFailure('the folder is empty: write "/" for all keys.');
  const entries: readonly KvEntry[] = call.scope.read({ kind: 'key-tree', prefix, ...dc })?.value ?? [];
  for (const { key } of entries) if (key.includes('@')) call.scope.listed.keys.add(key);
  // With two slashes, no key begins with the text: consul-template shows the whole keys then.
  const shown = splitDatacenter(text).path.replace(/^\//, '');
  return entries.flatMap((entry) => {
    const rest = entry.key.startsWith(shown) ? entry.key.slice(shown.length) : entry.key;
    const key = rest.replace(/^\/+/, '');
    return key === '' || key.endsWith('/') ? [] : [{ path: entry.key, key, value: textOf(call, entry) }];
  });
}

function readFolder(call: HelperCall): readonly ShownPair[] {
  return readTree(call).filter(({ key }) => !key.includes('/'));
}

/** Without any pair, the file stays as it is. */
function filled(call: HelperCall, read: typeof readTree): readonly ShownPair[] {
  const pairs = read(call);
  if (pairs.length > 0 || call.scope.missing.size > 0) return pairs;
  throw templateFailure(`there are no keys below "${textArgument(call, 0)}" in Consul.`);
}
