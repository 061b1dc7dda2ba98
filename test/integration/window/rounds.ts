// Faults in the window of a failover, round after round: `npm run test:window -- [rounds]`; see `usage`.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCase, describeFault, faults } from './cases.ts';
import { type Round, runRounds } from './lanes.ts';

const usage = `npm run test:window -- [rounds] [options]
  rounds               default: 60
  --seed <number>      repeats a run (default: another one each time)
  --from <number>      the first round, counted from 0
  --fault <text>       only faults whose name contains it, such as "Consul" or "cut"
  --side-by-side <n>   default: 4
  --out <folder>       where the histories of rounds that broke a rule go
  --all                the histories of all rounds`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    from: { type: 'string', default: '0' },
    fault: { type: 'string', default: '' },
    'side-by-side': { type: 'string', default: '4' },
    out: { type: 'string' },
    all: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

function isBroken({ result }: Round): boolean {
  return result.problems.length > 0 || result.lostThatSentinelKeeps > 0;
}

function save(folder: string, { number, window, result }: Round): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `round-${number}.txt`);
  const { problems, acknowledged, lost, lostThatSentinelKeeps } = result;
  const losses = `lost ${lost} of ${acknowledged} acknowledged writes, ${lostThatSentinelKeeps} of them kept by Sentinel`;
  writeFileSync(path, `${describeCase(window)}\n${problems.join('\n')}\n${losses}\n\n${result.story}\n`);
  return path;
}

function table(rounds: readonly Round[]): void {
  const head = [
    'rounds',
    'rules broken',
    'rounds losing',
    'lost, Sentinel keeps',
    'given up',
    'unattended',
    'lost',
    'of',
  ];
  const row = (name: string, cells: readonly (string | number)[]) =>
    print(name.padEnd(30) + cells.map((cell) => String(cell).padStart(21)).join(''));
  row('fault', head);
  const count = (name: string, some: readonly Round[]) => {
    const sum = (read: (round: Round) => number) => some.reduce((total, round) => total + read(round), 0);
    row(name, [
      some.length,
      some.filter(({ result }) => result.problems.length > 0).length,
      some.filter(({ result }) => result.lostThatSentinelKeeps > 0).length,
      sum(({ result }) => result.lostThatSentinelKeeps),
      sum(({ result }) => result.lostToGivenUp),
      sum(({ result }) => result.lostUnattended),
      sum(({ result }) => result.lost),
      sum(({ result }) => result.acknowledged),
    ]);
  };
  for (const [name, some] of groups(rounds, ({ window }) => describeFault(window.fault))) count(name, some);
  for (const [name, some] of groups(rounds, ({ window }) => window.begin)) count(`begun: ${name}`, some);
  for (const [name, some] of groups(rounds, ({ window }) => window.moment)) count(`at ${name}`, some);
  for (const [name, some] of groups(rounds, ({ window }) => window.place)) count(`bridges ${name}`, some);
  for (const [name, some] of groups(rounds, ({ window }) => window.onCrash)) count(`on a crash: ${name}`, some);
  for (const [name, some] of groups(rounds, ({ window }) => window.edition)) count(`on ${name}`, some);
  count('all', rounds);
}

function groups(rounds: readonly Round[], name: (round: Round) => string): readonly (readonly [string, Round[]])[] {
  return Object.entries(Object.groupBy(rounds, name)).map(([key, some]) => [key, some ?? []]);
}

async function main(): Promise<void> {
  const among = faults.filter((fault) => describeFault(fault).includes(values.fault));
  const [rounds, seed, from, sideBySide] = [
    positionals[0] ?? '60',
    values.seed,
    values.from,
    values['side-by-side'],
  ].map(Number);
  if (values.help || among.length === 0 || ![rounds, seed, from, sideBySide].every(Number.isSafeInteger)) {
    print(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const out = values.out ?? mkdtempSync(join(tmpdir(), 'window-histories-'));
  print(`seed ${seed}, ${rounds} rounds from ${from}, histories of broken ones in ${out}`);
  const done: Round[] = [];
  const onRound = (round: Round) => {
    done.push(round);
    const { result, window, number } = round;
    const { problems, lostThatSentinelKeeps, lostToGivenUp, lost, acknowledged, tookMs } = result;
    const isTold = values.all || isBroken(round) || result.lostToGivenUp > 0;
    const verdict = `${isBroken(round) ? 'BROKEN' : 'holds'}${isTold ? `, see ${save(out, round)}` : ''}`;
    print(
      `${done.length}/${rounds} #${number} ${describeCase(window)}: ${verdict}; lost ${lost} of ${acknowledged}, ${(tookMs / 1_000).toFixed(1)} s`,
    );
    for (const problem of problems) print(`    ${problem.split('\n')[0]}`);
    if (lostToGivenUp > 0) print(`    ${lostToGivenUp} writes lost to a promotion that failed`);
    if (lostThatSentinelKeeps > 0) print(`    ${lostThatSentinelKeeps} lost writes that plain Sentinel keeps`);
  };
  await runRounds({
    seed: seed ?? 0,
    from: from ?? 0,
    rounds: rounds ?? 0,
    sideBySide: sideBySide ?? 1,
    among,
    onRound,
  });
  print('');
  table(done);
  const broken = done.filter(isBroken);
  print(`\nseed ${seed}: ${done.length - broken.length} rounds hold, ${broken.length} do not`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

await main();
