import type { Examination, ExaminedClock, Finding } from '../../model/examination.ts';

/** Sentinel goes into TILT at two seconds between two looks; logs and journals cannot be compared long before. */
const toleratedMs = 1_000;

const rule = { rule: 'clock-skew', severity: 'warning' } as const;
const wayOut = 'Run chrony or ntpd on every machine. Sentinel does nothing for 30 s after a clock has jumped (TILT).';

/** Whether clocks agree. What cannot be told from a slow answer is not told. */
export function examineClocks({ clocks }: Examination): readonly Finding[] {
  const off = clocks.filter(({ aheadMs, uncertaintyMs }) => Math.abs(aheadMs) - uncertaintyMs > toleratedMs);
  const alike = off.filter(({ aheadMs, uncertaintyMs }) => {
    return Math.abs(aheadMs - middleOf(off)) <= toleratedMs + uncertaintyMs;
  });
  // Where most of them are off by the same, it is this machine that is.
  const here = alike.length >= 2 && alike.length * 2 > clocks.length;
  const single = here ? off.filter((clock) => !alike.includes(clock)) : off;
  return [...(here ? [tellHere(alike)] : []), ...single.map(tellOne)];
}

function tellHere(others: readonly ExaminedClock[]): Finding {
  const aheadMs = -middleOf(others);
  const [first, second, ...more] = others.map(({ whose }) => whose);
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  const says = `this machine's clock is ${describe(aheadMs)} those of ${first}, ${second}${rest}`;
  return { ...rule, subject: 'this machine', says, wayOut };
}

function tellOne({ whose, aheadMs }: ExaminedClock): Finding {
  return { ...rule, subject: whose, says: `its clock is ${describe(aheadMs)} this machine's`, wayOut };
}

function describe(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}

function middleOf(clocks: readonly ExaminedClock[]): number {
  const sorted = clocks.map(({ aheadMs }) => aheadMs).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
