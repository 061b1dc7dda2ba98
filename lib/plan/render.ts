import type { SwitchmasterError } from '../errors.ts';

/** What a render came to. `members` are the ids of the servers that it read, sorted. */
export type Rendering =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError }
  | {
      readonly kind: 'rendered';
      readonly text: string;
      /** Of the text's bytes. */
      readonly digest: string;
      readonly members: readonly string[];
      /** Whether it read the records of masters, of which there should be one at least. */
      readonly records: 'read' | 'not-read';
    };

export interface RenderSnapshot {
  readonly rendering: Rendering;
  /** The destination beside the rendering. */
  readonly file: 'absent' | 'same' | 'different';
  readonly memory: RenderMemory;
}

/** What is remembered of a template between its runs. */
export interface RenderMemory {
  /** The file is in place, but its consumer has not taken it over: why. */
  readonly owed: { readonly reason: string } | undefined;
}

export type RenderPlan =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'invalid'; readonly error: SwitchmasterError }
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'reload-only'; readonly reason: string }
  | { readonly kind: 'write'; readonly text: string; readonly digest: string };

/** Decides what a rendering means for its destination. Pure. */
export function planRender(snapshot: RenderSnapshot): RenderPlan {
  const { rendering, memory } = snapshot;
  switch (rendering.kind) {
    case 'pending':
      return { kind: 'pending', missing: rendering.missing };
    case 'failed':
      return { kind: 'invalid', error: rendering.error };
    case 'rendered': {
      if (snapshot.file === 'same') {
        return memory.owed === undefined ? { kind: 'unchanged' } : { kind: 'reload-only', reason: memory.owed.reason };
      }
      const reason = findHold(rendering);
      if (reason !== undefined) return { kind: 'held', reason };
      return { kind: 'write', text: rendering.text, digest: rendering.digest };
    }
  }
}

/** An empty catalog with a success on it is what Consul answers after it lost its state: empty is not truth. */
function findHold(rendering: Rendering & { kind: 'rendered' }): string | undefined {
  const masters = rendering.members.filter((member) => member.startsWith('master ')).length;
  if (rendering.records === 'read' && masters === 0) return 'Consul holds no record of any master.';
  return undefined;
}
