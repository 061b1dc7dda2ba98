import { reduce } from './policy.ts';
import type { AclRule } from './rule.ts';

/** One name of many: an empty prefix means all of them. */
const anyName = 'switchmaster';

/** A question to Consul about a rule, as its UI asks it (agent/acl_endpoint.go, ACLAuthorize). */
export function questionOf({ resource, segment, policy }: Pick<AclRule, 'resource' | 'segment' | 'policy'>) {
  const of = { Resource: resource.replace(/_prefix$/, ''), Access: policy };
  return { ...of, Segment: segment === '' ? anyName : segment };
}

/** `key_prefix "redis/desired/" { policy = "read" }`. */
export function formatRule({ resource, segment, policy }: AclRule): string {
  return resource === 'peering'
    ? `peering = "${policy}"`
    : `${resource} ${JSON.stringify(segment)} { policy = "${policy}" }`;
}

/** What a token was seen to have, and which of that it has lost. A rule that it never had may not be needed. */
export class LostRights {
  readonly #granted = new Set<string>();
  #lost: ReadonlyMap<string, AclRule> = new Map();
  #lacking: ReadonlyMap<string, AclRule> = new Map();

  get rules(): readonly AclRule[] {
    return [...this.#lost.values()];
  }

  /** Rules that it never had, and whose absence is to be reported. */
  get lacking(): readonly AclRule[] {
    return [...this.#lacking.values()];
  }

  /** Takes Consul's answers. Returns the rules that were lost, or found to be lacking, since the last time, and those that it has again. */
  note(answers: readonly { readonly rule: AclRule; readonly isAllowed: boolean }[]): {
    readonly lost: readonly AclRule[];
    readonly lacking: readonly AclRule[];
    readonly back: readonly AclRule[];
  } {
    const [before, lackingBefore] = [this.#lost, this.#lacking];
    for (const { rule, isAllowed } of answers) if (isAllowed) this.#granted.add(formatRule(rule));
    const lost = answers.filter(({ rule, isAllowed }) => !isAllowed && this.#granted.has(formatRule(rule)));
    this.#lost = new Map(reduce(lost.map(({ rule }) => rule)).map((rule) => [formatRule(rule), rule]));
    const lacking = answers.filter(({ rule, isAllowed }) => !isAllowed && rule.without !== undefined);
    const never = lacking.filter(({ rule }) => !this.#granted.has(formatRule(rule)));
    this.#lacking = new Map(never.map(({ rule }) => [formatRule(rule), rule]));
    const allowed = new Set(answers.flatMap(({ rule, isAllowed }) => (isAllowed ? [formatRule(rule)] : [])));
    const noted = [...new Map([...before, ...lackingBefore])];
    return {
      lost: without(this.#lost, [before]),
      lacking: without(this.#lacking, [lackingBefore]),
      back: noted.flatMap(([text, rule]) => (allowed.has(text) ? [rule] : [])),
    };
  }
}

function without(
  rules: ReadonlyMap<string, AclRule>,
  others: readonly ReadonlyMap<string, AclRule>[],
): readonly AclRule[] {
  return [...rules].flatMap(([text, rule]) => (others.some((other) => other.has(text)) ? [] : [rule]));
}
