import type { Examination, Finding } from '../model/examination.ts';

/** Sentinel goes into TILT at two seconds between two looks; logs and journals cannot be compared long before. */
const toleratedMs = 1_000;

/** Whether clocks agree. What cannot be told from a slow answer is not told. */
export function examineClocks({ clocks }: Examination): readonly Finding[] {
  return clocks.flatMap(({ whose, aheadMs, uncertaintyMs }): Finding[] => {
    const sureMs = Math.abs(aheadMs) - uncertaintyMs;
    if (sureMs <= toleratedMs) return [];
    const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
    const says = `its clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
    const wayOut =
      'Run chrony or ntpd on every machine. Sentinel does nothing for 30 s after a clock has jumped (TILT).';
    return [{ rule: 'clock-skew', severity: 'warning', subject: whose, says, wayOut }];
  });
}
