import type { SwitchmasterError } from '../../errors.ts';
import type { GuardSpec } from '../../model/template-spec.ts';
import { type GuardFinding, guardRendering } from './guard.ts';
import type { GoodRendering, ProvenRendering, Rendering, RenderMemory } from './rendering.ts';

export * from './rendering.ts';

export interface RenderSnapshot {
  readonly rendering: Rendering;
  /** The destination beside the rendering. */
  readonly file: 'absent' | 'same' | 'different';
  /** `seed`: whatever file is there stays as it is. */
  readonly upkeep: 'kept' | 'seed';
  readonly memory: RenderMemory;
  readonly guard: GuardSpec;
  /** `fallen`: Consul's index fell since the last proven text, so that the catalog may be thinner than the truth. */
  readonly catalog: 'steady' | 'fallen';
}

export type RenderPlan =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: SwitchmasterError }
  | { readonly kind: 'held'; readonly finding: GuardFinding }
  /** It was rolled back, and nothing has changed since. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unchanged' }
  /** The file is its consumer's own: nothing of it is touched. */
  | { readonly kind: 'left' }
  | { readonly kind: 'reload-only'; readonly reason: string; readonly rendering: GoodRendering }
  | { readonly kind: 'write'; readonly rendering: GoodRendering; readonly urgency: Urgency };

/** A change of master goes past every queue and is never rolled back to the old one. */
export type Urgency = 'master-change' | 'ordinary';

/** Decides what a rendering means for its destination. Pure. */
export function planRender(snapshot: RenderSnapshot): RenderPlan {
  const { rendering, memory } = snapshot;
  if (snapshot.upkeep === 'seed' && snapshot.file !== 'absent') return planSeeded(rendering, memory);
  switch (rendering.kind) {
    case 'pending':
      return { kind: 'pending', missing: rendering.missing };
    case 'failed':
      return { kind: 'invalid', error: rendering.error };
    case 'rendered':
      break;
  }
  if (snapshot.file === 'same') {
    if (memory.owed === undefined) return { kind: 'unchanged' };
    return { kind: 'reload-only', reason: memory.owed.reason, rendering };
  }
  if (memory.refused?.digest === rendering.digest) return { kind: 'refused', reason: memory.refused.reason };
  const finding = guardRendering({ ...snapshot, rendering });
  if (finding !== undefined && memory.approved !== rendering.digest) return { kind: 'held', finding };
  return { kind: 'write', rendering, urgency: urgencyOf(memory.proven, rendering) };
}

/** It is there, so that no text matters any more; what is owed is only that its consumer is told once. */
function planSeeded(rendering: Rendering, { owed }: RenderMemory): RenderPlan {
  if (owed === undefined || rendering.kind !== 'rendered') return { kind: 'left' };
  return { kind: 'reload-only', reason: owed.reason, rendering };
}

/** A master that has another address than in the text that was proven last. New and vanished ones are ordinary. */
export function urgencyOf(proven: ProvenRendering | undefined, rendering: Pick<GoodRendering, 'masters'>): Urgency {
  if (proven === undefined) return 'ordinary';
  const moved = [...rendering.masters].some(([name, address]) => {
    const before = proven.masters.get(name);
    return before !== undefined && before !== address;
  });
  return moved ? 'master-change' : 'ordinary';
}
