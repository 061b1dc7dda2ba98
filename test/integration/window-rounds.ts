// Faults in the window of a failover, round after round: `npm run test:window -- [rounds] [side by side]`. Without a
// number every combination is run once. Ends with what was lost, and fails where a history broke a rule.
import { Sandbox } from '../sandbox/sandbox.ts';
import { allCases, describeCase, runWindow } from './window.ts';

const cases = allCases();
const rounds = Number(process.argv[2] ?? cases.length);
const sideBySide = Number(process.argv[3] ?? 3);
const failures: string[] = [];
const losses = new Map<string, { lost: number; acknowledged: number; rounds: number }>();
let next = 0;

async function runSome(lane: number): Promise<void> {
  while (next < rounds) {
    const n = next;
    next += 1;
    // A stride that shares no factor with the number of cases, so that few rounds are a fair sample as well.
    const window = cases[(n * 37) % cases.length];
    if (window === undefined) return;
    const told = `${n + 1} of ${rounds}: ${describeCase(window)}`;
    const sandbox = await Sandbox.open({ name: `window-${lane}` });
    try {
      const result = await runWindow(sandbox, { name: `w${n}`, window, consul: await sandbox.consul() });
      const key = `${window.begin}, ${window.fault}`;
      const sum = losses.get(key) ?? { lost: 0, acknowledged: 0, rounds: 0 };
      losses.set(key, {
        lost: sum.lost + result.lost,
        acknowledged: sum.acknowledged + result.acknowledged,
        rounds: sum.rounds + 1,
      });
      for (const problem of result.problems) failures.push(`${told}: ${problem}\n  ${result.history.join('\n  ')}`);
      process.stdout.write(
        `${told}: ${result.problems.length === 0 ? 'holds' : 'BROKEN'}, lost ${result.lost} of ${result.acknowledged}\n`,
      );
    } catch (error) {
      failures.push(`${told}: ${String(error)}`);
      process.stdout.write(`${told}: ${String(error)}\n`);
    } finally {
      await sandbox.close();
    }
  }
}

await Promise.all(Array.from({ length: sideBySide }, (_, lane) => runSome(lane)));
for (const [key, { lost, acknowledged, rounds: count }] of [...losses].sort()) {
  process.stdout.write(`${key}: ${count} rounds, lost ${lost} of ${acknowledged} acknowledged writes\n`);
}
for (const failure of failures) process.stdout.write(`\n${failure}\n`);
process.stdout.write(`\n${rounds - failures.length} rounds hold, ${failures.length} do not\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
