import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { formatReadRule, type ReadAccess } from '../model/access.ts';
import { questionOf } from '../model/acl/lost-rights.ts';
import type { AgentCall } from './consul-options.ts';

const authorized = z.array(z.object({ Allow: z.boolean() }));

/** As many questions as Consul takes in one request. */
const questionsAtOnce = 64;

type Right = Parameters<typeof questionOf>[0];

/**
 * Whether the token has each right, in order; undefined where Consul does not say it. Rejects as the request does: Consul
 * refuses it where ACLs are off.
 */
export async function readRights(
  client: { send(call: AgentCall, options: { timeoutMs: number; signal?: AbortSignal }): Promise<unknown> },
  rights: readonly Right[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<readonly boolean[] | undefined> {
  const allowed: boolean[] = [];
  for (let from = 0; from < rights.length; from += questionsAtOnce) {
    const part = rights.slice(from, from + questionsAtOnce);
    const answer = authorized.safeParse(await client.send(authorizeCall(part), options));
    if (!answer.success || answer.data.length !== part.length) return undefined;
    allowed.push(...answer.data.map(({ Allow }) => Allow));
  }
  return allowed;
}

/** Whether Consul refused that question because ACLs are off: it answers 401 then (agent/acl_endpoint.go, checkACLDisabled). */
export function hasNoAcls(thrown: unknown): boolean {
  return SwitchmasterError.from(thrown).details?.status === 401;
}

/** The question about what the token may read of this. Of many names it asks about the first ones. */
export function readAccessCall(access: readonly ReadAccess[], dc: string | undefined): AgentCall {
  return authorizeCall(
    access.slice(0, questionsAtOnce).map((one) => ({ ...one, policy: 'read' as const })),
    dc,
  );
}

/**
 * The request of Consul's own UI for what a token may do (agent/acl_endpoint.go, ACLAuthorize; Consul 1.8 and later).
 * Consul 1.11 and later mark an answer that ACLs filtered, except for tokens without a name and for streamed answers. So this
 * request decides.
 */
function authorizeCall(rights: readonly Right[], dc?: string): AgentCall {
  return {
    method: 'post',
    path: '/internal/acl/authorize',
    ...(dc === undefined ? {} : { query: { dc } }),
    body: rights.map(questionOf),
    scopedBy: 'entries',
    what: 'what the token may do',
  };
}

/** The part that the token may not read; empty where Consul does not say it. */
export function readDenied(answer: unknown, access: readonly ReadAccess[]): readonly ReadAccess[] {
  const parsed = authorized.safeParse(answer);
  if (!parsed.success) return [];
  return access.filter((_, i) => parsed.data[i]?.Allow === false);
}

export function hiddenError(what: string, denied: readonly ReadAccess[]): SwitchmasterError {
  const rules = [...new Set(denied.map(formatReadRule))];
  const more = rules.length > 3 ? ` and ${rules.length - 3} more` : '';
  const add = rules.length === 0 ? 'more rules' : `${rules.slice(0, 3).join(', ')}${more}`;
  const message = `Consul hides ${what} from the token, or a part of it. Give its policy ${add}.`;
  return new SwitchmasterError('consul-denied', message, { details: { what, rules } });
}
