import * as z from 'zod';
import type { Path } from './problem.ts';
import { configSchema } from './schema.ts';
import { findSimilar } from './similar.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

let schema: JsonSchema | undefined;

/** For an unknown key at `at`: the most similar known key, or all known keys. */
export function hintForKey(key: string, at: Path): string {
  const keys = keysAt(at);
  const similar = findSimilar(key, keys);
  if (similar !== undefined) return `did you mean ${similar}?`;
  return keys.length === 0 ? 'remove it' : `known here: ${keys.join(', ')}`;
}

function keysAt(path: Path): readonly string[] {
  schema ??= z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  let nodes: readonly JsonSchema[] = [schema];
  for (const step of path) {
    nodes = nodes
      .flatMap((node) => node.anyOf ?? [node])
      .map((node) => (typeof step === 'number' ? node.items : node.properties?.[step]))
      .filter((node) => node !== undefined);
  }
  return nodes.flatMap((node) => node.anyOf ?? [node]).flatMap((node) => Object.keys(node.properties ?? {}));
}
