import type { z } from 'zod';
import type * as healthShapes from '../health-shapes.ts';
import type { addressShape, voteShape } from '../sentinel-shapes.ts';
import type * as shapes from '../shapes.ts';

/* The shapes that the page reads, from the one definition that the server is held to. */
export type Address = z.output<typeof addressShape>;
export type Vote = z.output<typeof voteShape>;
export type Master = z.output<typeof shapes.masterAnswer>;
export type Template = z.output<typeof shapes.templateAnswer>;
export type TemplateText = z.output<typeof shapes.templateTextAnswer>;
export type Entry = z.output<typeof shapes.entryShape>;
export type Why = z.output<typeof shapes.whyAnswer>;
export type Cluster = z.output<typeof shapes.clusterAnswer>;
export type ClusterRecord = NonNullable<Cluster['record']>;
export type Instance = z.output<typeof shapes.instanceAnswer>;
export type Lag = z.output<typeof shapes.lagShape>;

export type Node = z.output<typeof healthShapes.nodeAnswer>;
/** What a code of the health means, and what to do. */
export type Guidance = z.output<typeof healthShapes.healthCodesAnswer>['codes'][number];

export type Health = z.output<typeof healthShapes.healthAnswer>;
export type Reason = Health['reasons'][number];
export type Level = Reason['level'];

export interface Verdict {
  readonly level: Level;
  /** Whole sentences. */
  readonly reasons: readonly string[];
}

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `sinceMs`: when something was last answered, of Date.now(). `refusal`: what the server answers instead, with its code. */
  | { readonly kind: 'old'; readonly sinceMs: number; readonly refusal: string | null };

declare global {
  /** The `diff` package, which /page/diff.min.js loads. */
  var Diff: Pick<typeof import('diff'), 'structuredPatch'>;
}

/** Everything that the page knows. */
export interface World {
  readonly masters: ReadonlyMap<string, Master>;
  readonly templates: ReadonlyMap<string, Template & Partial<TemplateText>>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** What this node has registered of its own. */
  readonly instances: readonly Instance[];
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** The daemon's judgement, with its reasons by what they are about. */
  readonly health: Health & {
    readonly bySubject: ReadonlyMap<string, readonly Reason[]>;
    readonly byAddress: ReadonlyMap<string, readonly Reason[]>;
  };
  /** undefined before the first answer. */
  readonly node: Node | undefined;
  readonly guide: ReadonlyMap<string, Guidance>;
  readonly link: Link;
  /** What the operator looks for in names. */
  readonly filter: string;
}
