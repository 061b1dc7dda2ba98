import type { Examination, Finding } from '../model/examination.ts';
import { compareSeverities } from '../model/severity.ts';
import { examineAddresses } from './rules/addresses.ts';
import { examineClocks } from './rules/clocks.ts';
import { examineConsul } from './rules/consul.ts';
import { examineDurability } from './rules/durability.ts';
import { examineNames } from './rules/names.ts';
import { examineRedis } from './rules/redis.ts';
import { examineSentinels } from './rules/sentinels.ts';

/** All findings, the worst first. */
export function diagnose(examination: Examination): readonly Finding[] {
  const findings = [
    examineSentinels,
    examineRedis,
    examineDurability,
    examineAddresses,
    examineNames,
    examineConsul,
    examineClocks,
  ].flatMap((examine) => examine(examination));
  const compareSubjects = (a: Finding, b: Finding): number =>
    a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0;
  return findings.toSorted((a, b) => compareSeverities(a.severity, b.severity) || compareSubjects(a, b));
}
