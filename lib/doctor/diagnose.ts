import { compareSeverities } from '../model/severity.ts';
import type { Examination } from './examination.ts';
import { applyRule, type Finding, type Rule } from './rule.ts';
import { addressRules } from './rules/addresses.ts';
import { clockRules } from './rules/clocks.ts';
import { consulRules } from './rules/consul.ts';
import { durabilityRules } from './rules/durability.ts';
import { nameRules } from './rules/names.ts';
import { passwordRules } from './rules/passwords.ts';
import { promotionRules } from './rules/promotion.ts';
import { quorumRules } from './rules/quorum.ts';
import { redisRules } from './rules/redis.ts';
import { sentinelRules } from './rules/sentinels.ts';

/** Every rule, by topic. */
export const rules: readonly Rule[] = [
  ...sentinelRules,
  ...quorumRules,
  ...redisRules,
  ...passwordRules,
  ...promotionRules,
  ...durabilityRules,
  ...addressRules,
  ...nameRules,
  ...consulRules,
  ...clockRules,
];

/** Every fault that a rule finds, the critical ones first, then by subject. */
export function diagnose(examination: Examination): readonly Finding[] {
  return rules
    .flatMap((rule) => applyRule(rule, examination))
    .toSorted(
      (a, b) =>
        compareSeverities(a.severity, b.severity) || (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0),
    );
}
