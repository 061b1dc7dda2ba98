import { setTimeout as delay } from 'node:timers/promises';
import type { ConsulClient } from '../client/consul.ts';
import { hasNoAcls, readRights } from '../client/consul-access.ts';
import { SwitchmasterError } from '../errors.ts';
import { formatRule, LostRights } from '../model/acl/lost-rights.ts';
import type { AclRule } from '../model/acl/rule.ts';
import type { Denial } from './watches.ts';

export interface RightsProbeOptions {
  readonly client: Pick<ConsulClient, 'send'>;
  /** What the daemon needs now. */
  readonly rules: () => readonly AclRule[];
  readonly onChange: (change: { readonly rule: string; readonly kind: 'lost' | 'lacking' | 'back' }) => void;
  /** Default 5 s. */
  readonly everyMs?: number;
}

const usualMs = 5_000;
/** The pause where Consul has no ACLs: it writes each such request to its log. */
const withoutAclsMs = 600_000;
const timeoutMs = 3_000;

/**
 * Asks Consul whether the token still has the rights that the daemon needs. A blocking query does not end when a rule is
 * taken from its token, and what is read or written rarely fails only when it is needed.
 */
export class RightsProbe {
  readonly #options: RightsProbeOptions;
  readonly #rights = new LostRights();
  readonly #abort = new AbortController();

  constructor(options: RightsProbeOptions) {
    this.#options = options;
  }

  /** What the token has lost or lacks, with the rule to give. */
  get denials(): readonly Denial[] {
    const lacking = this.#rights.lacking.map((rule): Denial => {
      const text = formatRule(rule);
      const message = `${rule.without}: the token lacks a right in Consul (${rule.why}). Give its policy ${text}.`;
      const error = new SwitchmasterError('consul-denied', message, { details: { rules: [text] } });
      return { query: text, error, needed: 'for a part of the work' };
    });
    const lost = this.#rights.rules.map((rule) => {
      const text = formatRule(rule);
      const message = `The token has lost a right in Consul (${rule.why}). Give its policy ${text}.`;
      return { query: text, error: new SwitchmasterError('consul-denied', message, { details: { rules: [text] } }) };
    });
    return [...lost, ...lacking];
  }

  /** Runs until {@link stop}; never throws. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    const { everyMs = usualMs } = this.#options;
    while (!signal.aborted) {
      const pause = await this.#probe(signal).then(
        () => everyMs,
        (thrown) => (hasNoAcls(thrown) ? withoutAclsMs : everyMs),
      );
      await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { client, rules, onChange } = this.#options;
    const asked = rules();
    const allowed = await readRights(client, asked, { timeoutMs, signal });
    if (allowed === undefined) return;
    const answers = asked.map((rule, i) => ({ rule, isAllowed: allowed[i] !== false }));
    const { lost, lacking, back } = this.#rights.note(answers);
    for (const rule of lacking) onChange({ rule: formatRule(rule), kind: 'lacking' });
    for (const rule of lost) onChange({ rule: formatRule(rule), kind: 'lost' });
    for (const rule of back) onChange({ rule: formatRule(rule), kind: 'back' });
  }
}
