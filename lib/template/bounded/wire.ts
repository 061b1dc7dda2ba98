import { type ErrorCode, SwitchmasterError } from '../../errors.ts';
import type { CompileInput } from '../compile.ts';
import type { RenderResult } from '../render.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import type { VarsRead } from '../vars-read.ts';

/* What the daemon and a render process send each other. Each request has one reply, except `answers`. */

export type RenderRequest =
  | { readonly kind: 'compile'; readonly input: CompileInput }
  /** Answers from Consul, by query id, which stay until others replace them. */
  | { readonly kind: 'answers'; readonly answers: readonly (readonly [string, Lookup<unknown>])[] }
  | {
      readonly kind: 'render';
      readonly world: Omit<RenderWorld, 'lookUp' | 'lookUpFile' | 'env'>;
      readonly files: ReadonlyMap<string, FileText>;
    };

/** The text of a file, or why it cannot be read. */
export type FileText = { readonly kind: 'text'; readonly text: string } | WireError;

export type RenderReply =
  | { readonly kind: 'compiled'; readonly vars: VarsRead }
  /** `ms`: the processor time that the render took. What is not in `lists` is as in the last reply. */
  | { readonly kind: 'rendered'; readonly ms: number; readonly result: WireResult; readonly lists: Partial<LongLists> }
  | WireError;

export interface WireError {
  readonly kind: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

type Failed = Extract<RenderResult, { readonly kind: 'failed' }>;
type WireResult =
  | DistributiveOmit<Exclude<RenderResult, Failed>, keyof LongLists>
  | (Omit<Failed, 'error' | keyof LongLists> & { readonly error: WireError });
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * The lists with an entry for each service that the template reads. They rarely change, and sending them takes longer than
 * rendering.
 */
type LongLists = Pick<RenderResult, 'dependencies' | 'members' | 'lists'>;

export function packError(thrown: unknown): WireError {
  const { code, message, details } = SwitchmasterError.from(thrown, 'template-failed');
  return { kind: 'error', code, message, details };
}

export function unpackError({ code, message, details }: WireError): SwitchmasterError {
  return new SwitchmasterError(code, message, { details: { ...details } });
}

/** Packs the results of one template, without what is as in the one before. */
export function makePacker(): (result: RenderResult) => { result: WireResult; lists: Partial<LongLists> } {
  const sent = new Map<string, string>();
  return ({ dependencies, members, lists, ...rest }) => {
    const long: LongLists = { dependencies, members, lists };
    const news = Object.entries(long).filter(([name, list]) => {
      const text = JSON.stringify(list);
      const isNew = sent.get(name) !== text;
      sent.set(name, text);
      return isNew;
    });
    const result = rest.kind === 'failed' ? { ...rest, error: packError(rest.error) } : rest;
    return { result, lists: Object.fromEntries(news) };
  };
}

const nothing: LongLists = { dependencies: [], members: [], lists: { filled: [], empty: [] } };

/** `before`: the result before this one, of the same process. */
export function unpackResult(
  { result, lists }: Extract<RenderReply, { readonly kind: 'rendered' }>,
  before: Partial<LongLists>,
): RenderResult {
  const { dependencies, members, lists: both } = { ...nothing, ...before, ...lists };
  const long = { dependencies, members, lists: both };
  return result.kind === 'failed' ? { ...result, ...long, error: unpackError(result.error) } : { ...result, ...long };
}
