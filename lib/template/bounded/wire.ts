import { type ErrorCode, SwitchmasterError } from '../../errors.ts';
import { type ConsulQuery, queryId } from '../../model/query.ts';
import { maxFragmented } from '../../model/redaction.ts';
import { isSameList } from '../../model/same-list.ts';
import type { CompileInput } from '../compile.ts';
import type { RenderResult } from '../render.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import type { VarsRead } from '../vars-read.ts';

/* What the daemon and a render process send each other. Each request has one reply, except `answers` and `file`. */

export type RenderRequest =
  | { readonly kind: 'compile'; readonly input: CompileInput }
  /** Answers from Consul, by query id, which stay until others replace them. */
  | { readonly kind: 'answers'; readonly answers: readonly (readonly [string, Lookup<unknown>])[] }
  /** A file by its path, likewise. */
  | { readonly kind: 'file'; readonly file: readonly [string, FileText] }
  | { readonly kind: 'render'; readonly world: Omit<RenderWorld, 'lookUp' | 'lookUpFile' | 'env'> };

/** The text of a file, or why it cannot be read. `unknown`: it was not read yet, or has to be read again. */
export type FileText = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'unknown' } | WireError;

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
type Rendered = Extract<RenderResult, { readonly kind: 'rendered' }>;
type WireResult =
  | Omit<Extract<RenderResult, { readonly kind: 'pending' }>, keyof LongLists>
  /** `shown`: undefined where it is the same as `text`. */
  | (Omit<Rendered, 'shown' | keyof LongLists> & { readonly shown: string | undefined })
  | (Omit<Failed, 'error' | keyof LongLists> & { readonly error: WireError });

/**
 * The lists with an entry for each service that the template reads, and the texts of files. They rarely change, and sending
 * them takes longer than rendering.
 */
export type LongLists = Pick<RenderResult, 'dependencies' | 'members' | 'lists' | 'secrets'>;

export function packError(thrown: unknown): WireError {
  const { code, message, details } = SwitchmasterError.from(thrown, 'template-failed');
  return { kind: 'error', code, message, details };
}

export function unpackError({ code, message, details }: WireError): SwitchmasterError {
  return new SwitchmasterError(code, message, { details: { ...details } });
}

/** Packs the results of one template, without what is as in the one before. */
export function makePacker(): (result: RenderResult) => { result: WireResult; lists: Partial<LongLists> } {
  let sent: LongLists | undefined;
  return ({ dependencies, members, lists, secrets, ...rest }) => {
    const long: LongLists = { dependencies, members, lists, secrets: join(secrets) };
    const news = sent === undefined ? long : newLists(sent, long);
    sent = long;
    return { result: packShort(rest), lists: news };
  };
}

function newLists(before: LongLists, { dependencies, members, lists, secrets }: LongLists): Partial<LongLists> {
  const areSame = isSameList(before.lists.filled, lists.filled) && isSameList(before.lists.empty, lists.empty);
  return {
    ...(isSameList(before.dependencies, dependencies, isSameQuery) ? {} : { dependencies }),
    ...(isSameList(before.members, members) ? {} : { members }),
    ...(areSame ? {} : { lists }),
    ...(isSameList(before.secrets, secrets) ? {} : { secrets }),
  };
}

/** Most are the same object: those that a kept pass has read. */
function isSameQuery(one: ConsulQuery, other: ConsulQuery): boolean {
  return one === other || queryId(one) === queryId(other);
}

/** So many are sent as they are. */
const manySecrets = 1_000;

/**
 * To receive a hundred thousand texts takes long. Every line of a secret is secret, so many may be one text, as long as its
 * fragments count.
 */
function join(secrets: readonly string[]): readonly string[] {
  if (secrets.length <= manySecrets) return secrets;
  const groups: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const secret of secrets) {
    if (length + secret.length > maxFragmented) {
      groups.push([]);
      length = 0;
    }
    groups.at(-1)?.push(secret);
    length += secret.length + 1;
  }
  return groups.map((group) => group.join('\n'));
}

type Short<T = RenderResult> = T extends unknown ? Omit<T, keyof LongLists> : never;

function packShort(result: Short): WireResult {
  if (result.kind === 'failed') return { ...result, error: packError(result.error) };
  if (result.kind === 'pending') return result;
  return { ...result, shown: result.shown === result.text ? undefined : result.shown };
}

/** `before`: the result before this one, of the same process. */
export function unpackResult(
  { result, lists }: Extract<RenderReply, { readonly kind: 'rendered' }>,
  before: LongLists,
): RenderResult {
  const { dependencies, members, lists: both, secrets } = { ...before, ...lists };
  const long = { dependencies, members, lists: both, secrets };
  if (result.kind === 'failed') return { ...result, ...long, error: unpackError(result.error) };
  if (result.kind === 'pending') return { ...result, ...long };
  return { ...result, ...long, shown: result.shown ?? result.text };
}
