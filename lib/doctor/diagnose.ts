import type { Examination, Finding } from '../model/examination.ts';
import { examineAddresses } from './rules/addresses.ts';
import { examineClocks } from './rules/clocks.ts';
import { examineConsul } from './rules/consul.ts';
import { examineDurability } from './rules/durability.ts';
import { examineNames } from './rules/names.ts';
import { examineRedis } from './rules/redis.ts';
import { examineSentinels } from './rules/sentinels.ts';

/** Everything that bites, errors first. */
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
  const rank = ({ severity }: Finding): number => (severity === 'error' ? 0 : 1);
  return findings.toSorted((a, b) => rank(a) - rank(b) || (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0));
}
