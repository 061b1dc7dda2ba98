import type { SwitchmasterError } from '../../errors.ts';

/** The result of a render. */
export type Rendering =
  | { readonly kind: 'pending'; readonly missing: readonly string[] }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError }
  | GoodRendering;

export interface GoodRendering {
  readonly kind: 'rendered';
  readonly text: string;
  /** Of the text's bytes without the head. */
  readonly digest: string;
  /** Ids of the servers that the template read, sorted. */
  readonly members: readonly string[];
  /** Ids of the queries for lists in Consul, by what the lists hold; sorted. */
  readonly lists: { readonly filled: readonly string[]; readonly empty: readonly string[] };
  /** `host:port` of each master that the template read, by name. */
  readonly masters: ReadonlyMap<string, string>;
  /** Whether the template read the records of masters, of which there is at least one in normal operation. */
  readonly records: 'read' | 'not-read';
  /** Sentences about what the template leaves out of the text. */
  readonly warnings: readonly string[];
  /** Why the text must not replace the destination. HAProxy follows a change of master all the same. */
  readonly refusal?: SwitchmasterError | undefined;
}

/** A text that took effect: its consumer was reloaded and verified. */
export interface ProvenRendering extends Pick<GoodRendering, 'digest' | 'members' | 'masters'> {
  /** Ids of the queries for lists in Consul that were not empty. */
  readonly filled: readonly string[];
}

/** `reload`: the consumer may not use the file yet. `verify`: it uses the file, which was not verified yet. */
export interface OwedStep {
  readonly step: 'reload' | 'verify';
  readonly reason: string;
}

/** What the renderer remembers of a template between its runs. */
export interface RenderMemory {
  readonly proven: ProvenRendering | undefined;
  /** The file is in place, but something is left to do, and why. */
  readonly owed: OwedStep | undefined;
  /** The text that was rolled back, and why. It is not tried again. */
  readonly refused: { readonly digest: string; readonly reason: string } | undefined;
  /** Digest of the held text that an operator released. */
  readonly approved: string | undefined;
  /** `daemon`: this daemon, or one before it, wrote the destination. */
  readonly owner: 'daemon' | 'unknown';
}

export const emptyMemory: RenderMemory = {
  proven: undefined,
  owed: undefined,
  refused: undefined,
  approved: undefined,
  owner: 'unknown',
};
