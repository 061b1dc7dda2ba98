import type { ExaminedClock } from '../examination.ts';
import { type Fault, type Rule, rule } from '../rule.ts';

/** Sentinel enters TILT at 2,000 between two of its timer calls. Logs and journals are hard to compare long before. */
const toleratedMs = 1_000;

/** Whether clocks agree. A difference within the uncertainty of a slow answer is no fault. */
export const clockRules: readonly Rule[] = [
  rule({
    name: 'clock-skew',
    severity: 'warning',
    reads: ['clocks'],
    hint: 'Run chrony or ntpd on every machine. Sentinel takes no action for 30 s after a clock jumped (TILT).',
    find: ({ clocks }) => findSkew(clocks),
  }),
];

function findSkew(clocks: readonly ExaminedClock[]): readonly Fault[] {
  const off = clocks.filter(({ aheadMs, uncertaintyMs }) => Math.abs(aheadMs) - uncertaintyMs > toleratedMs);
  const alike = off.filter(({ aheadMs, uncertaintyMs }) => {
    return Math.abs(aheadMs - middleOf(off)) <= toleratedMs + uncertaintyMs;
  });
  // If most clocks are off by the same amount, this machine's clock is the wrong one.
  const here = alike.length >= 2 && alike.length * 2 > clocks.length;
  const single = here ? off.filter((clock) => !alike.includes(clock)) : off;
  const others = single.map(({ whose, aheadMs }) => ({
    subject: whose,
    text: `its clock is ${describe(aheadMs)} the clock of this machine`,
  }));
  return here ? [describeHere(alike), ...others] : others;
}

function describeHere(others: readonly ExaminedClock[]): Fault {
  const [first, second, ...more] = others.map(({ whose }) => whose);
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  const text = `this machine's clock is ${describe(-middleOf(others))} those of ${first}, ${second}${rest}`;
  return { subject: 'this machine', text };
}

function describe(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}

function middleOf(clocks: readonly ExaminedClock[]): number {
  const sorted = clocks.map(({ aheadMs }) => aheadMs).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
