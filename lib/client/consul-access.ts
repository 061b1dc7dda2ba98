import { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { formatReadRule, type ReadAccess } from '../model/access.ts';
import type { AgentCall } from './consul-options.ts';

const authorized = z.array(z.object({ Allow: z.boolean() }));

/** How many names one request asks about. */
const namesAtOnce = 64;

/** An empty prefix means all names: one of them is asked about. */
const anyName = 'switchmaster';

/**
 * The request of Consul's own UI for what a token may read (agent/acl_endpoint.go, ACLAuthorize; Consul 1.8 and later).
 * Consul 1.11 and later mark an answer that ACLs filtered, except for tokens without a name and for streamed answers. So this
 * request decides.
 */
export function authorizeCall(access: readonly ReadAccess[], dc: string | undefined): AgentCall {
  return {
    method: 'post',
    path: '/internal/acl/authorize',
    ...(dc === undefined ? {} : { query: { dc } }),
    body: access.slice(0, namesAtOnce).map(({ resource, segment }) => ({
      Resource: resource,
      Access: 'read',
      Segment: segment === '' ? anyName : segment,
    })),
    what: 'what the token may read',
  };
}

/** The part that the token may not read; empty where Consul does not say it. */
export function readDenied(answer: unknown, access: readonly ReadAccess[]): readonly ReadAccess[] {
  const parsed = authorized.safeParse(answer);
  if (!parsed.success) return [];
  return access.slice(0, namesAtOnce).filter((_, i) => parsed.data[i]?.Allow === false);
}

export function hiddenError(what: string, denied: readonly ReadAccess[]): SwitchmasterError {
  const rules = [...new Set(denied.map(formatReadRule))];
  const more = rules.length > 3 ? ` and ${rules.length - 3} more` : '';
  const add = rules.length === 0 ? 'more rules' : `${rules.slice(0, 3).join(', ')}${more}`;
  const message = `Consul hides ${what} from the token, or a part of it. Give its policy ${add}.`;
  return new SwitchmasterError('consul-denied', message, { details: { what, rules } });
}
