import type { SwitchmasterError } from '../../errors.ts';
import type { GuardSpec } from '../../model/template-spec.ts';
import { type GuardFinding, guardRendering } from './guard.ts';
import type { GoodRendering, OwedStep, Rendering, RenderMemory } from './rendering.ts';
import { type Urgency, urgencyOf } from './urgency.ts';

export interface RenderSnapshot {
  readonly rendering: Rendering;
  /** The destination compared with the rendering. `foreign`: it differs, and switchmaster did not write it. */
  readonly file: 'absent' | 'same' | 'different' | 'foreign';
  /** `adopt`: a foreign file is kept aside and replaced. */
  readonly takeover: 'adopt' | 'refuse';
  /** `seed`: an existing file is never changed. */
  readonly upkeep: 'kept' | 'seed';
  readonly memory: RenderMemory;
  readonly guard: GuardSpec;
  /** `fallen`: Consul's index fell since the last proven text, so the catalog may hold less than it should. */
  readonly catalog: 'steady' | 'fallen';
}

export type RenderPlan =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: SwitchmasterError }
  | { readonly kind: 'held'; readonly finding: GuardFinding }
  /** The text was rolled back, and the input has not changed since. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unchanged' }
  /** A seed that exists: its consumer owns it. */
  | { readonly kind: 'left' }
  | { readonly kind: 'reload-only'; readonly owed: OwedStep; readonly rendering: GoodRendering }
  | {
      readonly kind: 'write';
      readonly rendering: GoodRendering;
      readonly urgency: Urgency;
      /** `foreign-file`: a file that switchmaster did not write, to be kept aside. */
      readonly replaces: 'own-file' | 'foreign-file';
    };

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
      return planText(snapshot, rendering);
  }
}

function planText(snapshot: RenderSnapshot, rendering: GoodRendering): RenderPlan {
  const { file, memory } = snapshot;
  if (file === 'same') {
    if (memory.owed === undefined) return { kind: 'unchanged' };
    return { kind: 'reload-only', owed: memory.owed, rendering };
  }
  if (memory.refused?.digest === rendering.digest) return { kind: 'refused', reason: memory.refused.reason };
  const finding = findHold(snapshot, rendering);
  if (finding !== undefined && memory.approved !== rendering.digest) return { kind: 'held', finding };
  const replaces = file === 'foreign' ? 'foreign-file' : 'own-file';
  return { kind: 'write', rendering, urgency: urgencyOf(memory.proven, rendering), replaces };
}

/** One approval releases the text, so the finding names every reason. */
function findHold(snapshot: RenderSnapshot, rendering: GoodRendering): GuardFinding | undefined {
  const finding = guardRendering({ ...snapshot, rendering });
  if (snapshot.file !== 'foreign' || snapshot.takeover === 'adopt') return finding;
  const reason = finding === undefined ? foreign : `${foreign} ${finding.reason}`;
  return { guard: 'foreign-file', reason, lost: finding?.lost ?? [] };
}

const foreign =
  'The file exists, and switchmaster did not write it. `switchmaster render --dry-run --diff` shows the difference. ' +
  'To replace it, run `switchmaster render --adopt`, set adopt: true for the template, or approve the text: the file is then ' +
  'kept beside as NAME.before-switchmaster-DATE. To keep it, choose another destination, such as a file in a conf.d folder.';

/** The seed's text no longer matters. Only an owed reload is done, once. */
function planSeeded(rendering: Rendering, { owed }: RenderMemory): RenderPlan {
  if (owed === undefined || rendering.kind !== 'rendered') return { kind: 'left' };
  return { kind: 'reload-only', owed, rendering };
}
