import { compareSeverities } from '../model/severity.ts';
import type { Examination } from './examination.ts';
import { judgeExamination } from './judgement.ts';
import { applyRule, type Finding, type Rule } from './rule.ts';
import { addressRules } from './rules/addresses.ts';
import { clockRules } from './rules/clocks.ts';
import { consulRules } from './rules/consul.ts';
import { durabilityRules } from './rules/durability.ts';
import { isolationRules } from './rules/isolation.ts';
import { maintenanceRules } from './rules/maintenance.ts';
import { nameRules } from './rules/names.ts';
import { passwordRules } from './rules/passwords.ts';
import { promotionRules } from './rules/promotion.ts';
import { quorumRules } from './rules/quorum.ts';
import { sentinelRules } from './rules/sentinels.ts';

/** Every rule of the doctor's own, by topic. */
export const rules: readonly Rule[] = [
  ...sentinelRules,
  ...quorumRules,
  ...passwordRules,
  ...promotionRules,
  ...durabilityRules,
  ...addressRules,
  ...nameRules,
  ...isolationRules,
  ...maintenanceRules,
  ...consulRules,
  ...clockRules,
];

/** Every fault that a rule or the judgement on health finds, the critical ones first, then by subject. */
export function diagnose(examination: Examination): readonly Finding[] {
  return [...judgeExamination(examination), ...rules.flatMap((rule) => applyRule(rule, examination))].toSorted(
    (a, b) => compareSeverities(a.severity, b.severity) || (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0),
  );
}
