import type { SwitchmasterError } from '../../errors.ts';

/** What a render came to. */
export type Rendering =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError }
  | GoodRendering;

export interface GoodRendering {
  readonly kind: 'rendered';
  readonly text: string;
  /** Of the text's bytes. */
  readonly digest: string;
  /** Ids of the servers that it read, sorted. */
  readonly members: readonly string[];
  /** `host:port` of each master that it read, by name. */
  readonly masters: ReadonlyMap<string, string>;
  /** Whether it read the records of masters, of which there should be one at least. */
  readonly records: 'read' | 'not-read';
}

/** A text that took effect: its consumer was reloaded and verified. */
export type ProvenRendering = Pick<GoodRendering, 'digest' | 'members' | 'masters'>;

/** What is remembered of a template between its runs. */
export interface RenderMemory {
  readonly proven: ProvenRendering | undefined;
  /** The file is in place, but its consumer has not taken it over: why. */
  readonly owed: { readonly reason: string } | undefined;
  /** The text that was rolled back, and why; it is not tried again. */
  readonly refused: { readonly digest: string; readonly reason: string } | undefined;
  /** The held text that an operator has released. */
  readonly approved: string | undefined;
}

export const emptyMemory: RenderMemory = {
  proven: undefined,
  owed: undefined,
  refused: undefined,
  approved: undefined,
};
