import fc from 'fast-check';
import type { FollowMode } from '../../lib/bridge/plan/decision.ts';
import { type Node, nodes } from './sentinel-world.ts';

/** One event. An event that is impossible now does nothing, so every part of a story is a story. */
export type Event =
  | { readonly kind: 'elect'; readonly s: number; readonly voters: readonly number[]; readonly selected: Node }
  | { readonly kind: 'advance' | 'abort' | 'kill' | 'restart'; readonly s: number }
  | { readonly kind: 'greet'; readonly s: number; readonly to: number }
  | { readonly kind: 'push' | 'act' | 'forget'; readonly b: number }
  | { readonly kind: 'survey'; readonly b: number; readonly deaf: readonly number[] }
  | { readonly kind: 'follow'; readonly b: number; readonly s: number }
  | { readonly kind: 'run'; readonly b: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'demote' }
  | { readonly kind: 'consul'; readonly is: 'deaf' | 'dead' | undefined }
  | { readonly kind: 'lose' | 'find' | 'rebuild'; readonly node: Node }
  | { readonly kind: Exclude<Vandalism, 'edit'> }
  | ({ readonly kind: 'edit' } & Edit);

/** What somebody edits by hand, and by how much the version of the record changes. */
export interface Edit {
  readonly what: 'record' | 'record-and-key' | 'key' | 'service';
  readonly node: Node;
  readonly epochs: number;
  readonly generations: number;
  readonly phase: 'promoted' | 'confirmed';
}

export type Vandalism = 'delete' | 'scribble' | 'deregister' | 'wipe' | 'edit';

export interface Scale {
  readonly sentinels: number;
  readonly bridges: number;
  readonly follow: FollowMode;
}

/** `quiet` stories have only events of Sentinels, bridges and networks; others add edits by people and broken Consuls. */
export function storyOf(scale: Scale, kind: 'quiet' | 'vandals' | 'restarts'): fc.Arbitrary<readonly Event[]> {
  const s = fc.nat(scale.sentinels - 1);
  const b = fc.nat(scale.bridges - 1);
  const node = fc.constantFrom(...nodes);
  const some = fc.subarray(Array.from({ length: scale.sentinels }, (_, i) => i));
  const of = <K extends Event['kind']>(
    weight: number,
    kinds: readonly K[],
    rest: Record<string, fc.Arbitrary<unknown>>,
  ) => ({
    weight,
    arbitrary: fc.record({ kind: fc.constantFrom(...kinds), ...rest }) as unknown as fc.Arbitrary<Event>,
  });
  const events = [
    of(4, ['elect'], { s, voters: some, selected: node }),
    of(8, ['advance'], { s }),
    of(1, ['abort'], { s }),
    of(2, ['kill', 'restart'], { s }),
    of(8, ['greet'], { s, to: s }),
    of(6, ['push'], { b }),
    of(10, ['act'], { b }),
    of(5, ['survey'], { b, deaf: some }),
    of(5, ['follow'], { b, s }),
    of(8, ['run'], { b }),
    of(4, ['time'], { ms: fc.constantFrom(100, 1_000, 6_000) }),
    of(1, ['demote'], {}),
    of(2, ['consul'], { is: fc.constantFrom('deaf', 'dead', undefined, undefined) }),
    of(1, ['lose', 'find'], { node }),
  ];
  if (kind === 'vandals') {
    events.push(of(2, ['delete', 'scribble', 'deregister', 'wipe'], {}));
    events.push(of(2, ['edit'], edits(node)));
  }
  if (kind === 'restarts') events.push(of(2, ['forget'], { b }));
  return fc.array(fc.oneof(...events), { maxLength: 150, size: 'max' });
}

function edits(node: fc.Arbitrary<Node>): { readonly [K in keyof Edit]: fc.Arbitrary<Edit[K]> } {
  return {
    what: fc.constantFrom('record', 'record-and-key', 'key', 'service'),
    node,
    epochs: fc.constantFrom(-2, -1, 0, 1, 2, 100),
    generations: fc.constantFrom(0, 0, 1),
    phase: fc.constantFrom('promoted', 'confirmed'),
  };
}
