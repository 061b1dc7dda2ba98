import type { ConsulQuery } from '../model/query.ts';

/** What a pass of a loop read: see kept-passes.ts. */
export interface PassRead {
  readonly id: string;
  readonly query: ConsulQuery;
  readonly answer: { readonly kind: 'known'; readonly value: unknown; readonly former?: unknown };
}

/** What a pass reads while it is rendered. */
export class PassReads {
  /** By the ids of the queries. */
  readonly answers = new Map<string, PassRead>();
  readonly members: (readonly string[])[] = [];
}
