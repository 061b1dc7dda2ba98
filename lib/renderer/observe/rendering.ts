import { SwitchmasterError } from '../../errors.ts';
import { queryId } from '../../model/query.ts';
import type { TemplateSpec } from '../../model/template-spec.ts';
import type { RenderResult } from '../../template/render.ts';
import { addHead, computeDigest } from '../head.ts';
import type { GoodRendering, Rendering } from '../plan/rendering.ts';
import { templateName } from './source.ts';

/** A text without secrets, and whether the original has any. */
export interface ShownText {
  readonly text: string;
  readonly holds: 'secrets' | 'nothing-secret';
}

/** What a render of the template means for its destination. */
export async function toRendering(result: RenderResult, spec: TemplateSpec): Promise<Rendering> {
  switch (result.kind) {
    case 'pending':
      return { kind: 'pending', missing: [...result.missing.map(queryId), ...result.missingFiles].sort() };
    case 'failed':
      return { kind: 'failed', error: result.error };
    case 'rendered':
      return toGoodRendering(result, spec);
  }
}

async function toGoodRendering(
  result: RenderResult & { readonly kind: 'rendered' },
  spec: TemplateSpec,
): Promise<GoodRendering> {
  const text = addHead(result.text, spec);
  const { members, lists, masters, records, warnings } = result;
  const refusal =
    result.refusal === undefined
      ? undefined
      : new SwitchmasterError('template-failed', `${templateName(spec)}: ${result.refusal}`);
  const digest = await computeDigest(Buffer.from(text));
  return { kind: 'rendered', text, digest, members, lists, masters, records, warnings, refusal };
}
