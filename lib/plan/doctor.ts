import type { Examination, Finding } from '../model/examination.ts';
import { examineAddresses } from './doctor-addresses.ts';
import { examineClocks } from './doctor-clocks.ts';
import { examineConsul } from './doctor-consul.ts';
import { examineDurability } from './doctor-durability.ts';
import { examineNames } from './doctor-names.ts';
import { examineRedis } from './doctor-redis.ts';
import { examineSentinels } from './doctor-sentinels.ts';

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
