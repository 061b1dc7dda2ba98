import type { KvEntry } from '../../model/catalog.ts';
import { type ExpectedMaster, expectedRecord } from '../../model/expected-master.ts';
import type { ConsulQuery } from '../../model/query.ts';
import { formatRecord } from '../../model/record.ts';
import { readEntry } from '../../model/records.ts';
import type { TemplateSpec } from '../../model/template-spec.ts';
import type { BoundedTemplate } from '../../template/bounded/template.ts';
import type { Lookup, RenderWorld } from '../../template/scope.ts';
import type { GoodRendering } from '../plan/rendering.ts';
import type { Inputs } from './inputs.ts';
import { toRendering } from './rendering.ts';

/**
 * Renders with the known answers and the expected record. Starts no watch and reads no file again. undefined for a template that takes
 * long, reads something unknown, or writes the time, which will be another one.
 */
export async function renderExpected(input: {
  readonly expected: ExpectedMaster;
  /** The common prefix of the records' keys. */
  readonly prefix: string;
  readonly compiled: Pick<BoundedTemplate, 'isInLoop' | 'render'>;
  readonly inputs: Pick<Inputs, 'stateOf' | 'lookUp'>;
  readonly world: RenderWorld;
  readonly spec: TemplateSpec;
}): Promise<GoodRendering | undefined> {
  const { expected, prefix, compiled, inputs, world, spec } = input;
  if (!compiled.isInLoop) return undefined;
  const lookUp = (query: ConsulQuery, id: string): Lookup<unknown> => {
    if (inputs.stateOf(id) === undefined) return { kind: 'unknown' };
    const known = inputs.lookUp(query, id);
    if (known.kind !== 'known' || query.kind !== 'key-tree' || query.prefix !== prefix) return known;
    // The answer to this kind of query is a list of entries.
    return { ...known, value: expect(known.value as readonly KvEntry[], { expected, prefix }) };
  };
  const result = await compiled.render({ ...world, lookUp: lookUp as RenderWorld['lookUp'] });
  if (result.kind !== 'rendered' || result.time === 'read') return undefined;
  const rendering = await toRendering(result, spec);
  return rendering.kind === 'rendered' && rendering.refusal === undefined ? rendering : undefined;
}

function expect(
  entries: readonly KvEntry[],
  { expected, prefix }: { readonly expected: ExpectedMaster; readonly prefix: string },
): readonly KvEntry[] {
  return entries.map((entry) => {
    const record = readEntry(entry, prefix);
    const next = record && expectedRecord(record, expected);
    return next === undefined ? entry : { ...entry, value: formatRecord(next) };
  });
}
