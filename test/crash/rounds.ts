// Rounds in a network of its own: started by main.ts. argv: kind, seed, rounds, crashes.
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../chaos/random.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { endings, events } from './events.ts';
import { type Judgement, judgeOrders, quietMs } from './judgement.ts';
import { Prober } from './prober.ts';
import type { Silences, Span } from './silence.ts';
import {
  type CrashPair,
  type CrashStage,
  type CrashWord,
  crashAfterMs,
  untilWhole,
  type Whole,
  wordsAbout,
} from './stage.ts';
import { type StageKind, stages } from './stages.ts';

const [kind = 'sentinel', ...numbers] = process.argv.slice(2);
const [seed = 1, rounds = 100, crashes = 10] = numbers.map(Number);
const write = (text: string) => process.stdout.write(`${text}\n`);

type End = 'quiet' | Judgement;

/** The masters whose last failover is long enough ago: before, every order is refused, and a quiet round shows nothing. */
const settled = new Map<CrashPair, RedisServer>();

async function untilSettled(stage: CrashStage, pair: CrashPair): Promise<Whole> {
  const whole = await untilWhole(stage, pair);
  if (settled.get(pair) === whole.master) return whole;
  await delay(pair.settleMs);
  settled.set(pair, whole.master);
  return untilWhole(stage, pair);
}

/** An order is wrong unless nobody listened because of the event for as long as the proof takes. */
async function playEvent(
  stage: CrashStage,
  { pair, name, random }: { readonly pair: CrashPair; readonly name: string; readonly random: () => number },
): Promise<End> {
  const { links, bridges } = stage;
  const whole = await untilSettled(stage, pair);
  const ordered = () => wordsAbout(stage, whole.master).filter(({ outcome }) => outcome === 'applied');
  const before = ordered().length;
  const stopProbing = endings.has(name) ? await prober.start(whole.master.address) : undefined;
  await events[name]?.({ links, bridges, observers: stage.observers(pair), ...whole, random });
  await untilWhole(stage, pair);
  // No condition shows that something never happens.
  await delay(quietMs);
  const silences = await stopProbing?.();
  const orders = ordered().slice(before);
  if (orders.length === 0) return 'quiet';
  const end = judgeOrders(orders, { silences, crashAfterMs });
  if (end !== 'due')
    write(`${end}: ${name}: ${JSON.stringify(orders)}; nobody listened: ${JSON.stringify(near(silences, orders))}`);
  return end;
}

/** Those of the five seconds before the orders. */
function near(silences: Silences | undefined, orders: readonly CrashWord[]): Silences | undefined {
  const isNear = ({ fromMs, toMs }: Span) => orders.some(({ atMs }) => fromMs < atMs && toMs > atMs - 5_000);
  return silences && { certain: silences.certain.filter(isNear), possible: silences.possible.filter(isNear) };
}

/** Milliseconds from SIGKILL to the replica's first answer as a master; undefined where no bridge ordered it. */
async function playCrash(stage: CrashStage, pair: CrashPair): Promise<number | undefined> {
  const { master, replica } = await untilWhole(stage, pair);
  await delay(pair.settleMs);
  const before = wordsAbout(stage, master).length;
  const startedMs = performance.now();
  await master.kill();
  const role = async () => ((await replica.command('ROLE')) as unknown[])[0];
  await waitFor('the replica to be master', role, {
    until: (said) => said === 'master',
    intervalMs: 2,
    timeoutMs: 60_000,
  });
  const tookMs = performance.now() - startedMs;
  const words = () => wordsAbout(stage, master).slice(before);
  await waitFor('the report', () => words().length, { timeoutMs: 5_000 }).catch(() => 0);
  const applied = words().filter(({ outcome }) => outcome === 'applied').length;
  const { stages: times } = (words().find(({ outcome }) => outcome === 'applied')?.details ?? {}) as {
    stages?: unknown;
  };
  write(`crash: ${Math.round(tookMs)} ms, since the close: ${JSON.stringify(times)}`);
  if (applied === 1) return tookMs;
  write(`crash: ${Math.round(tookMs)} ms, ${applied} orders: ${JSON.stringify(words())}`);
  return undefined;
}

const sandbox = await Sandbox.open({ name: `crash-rounds-${kind}` });
process.on('uncaughtException', (error) => {
  console.error(error, sandbox.logTails({ lines: 20 }));
  process.exit(1);
});
const stage = await stages[kind as StageKind](sandbox);
const prober = new Prober();
const random = new Random(seed);
const tally = new Map<string, Record<End, number>>();
const names = Object.keys(events);
const wrongOnes = () => [...tally.values()].reduce((sum, counts) => sum + counts.wrong, 0);
const startedMs = performance.now();
let begun = 0;
let played = 0;

/** One event after the other at this pair. */
async function playEvents(pair: CrashPair): Promise<void> {
  while (begun < rounds) {
    const name = names[begun % names.length] ?? '';
    begun += 1;
    const end = await playEvent(stage, { pair, name, random: () => random.next() });
    const counts = tally.get(name) ?? { quiet: 0, due: 0, unclear: 0, wrong: 0 };
    counts[end] += 1;
    played += 1;
    tally.set(name, counts);
    if (played % 100 === 0) {
      const minutes = Math.round((performance.now() - startedMs) / 6_000) / 10;
      write(`${played} rounds after ${minutes} minutes: ${wrongOnes()} wrong orders`);
    }
  }
}

await Promise.all(stage.pairs.map(playEvents));
const times: number[] = [];
for (let round = 0; round < crashes; round += 1) {
  const pair = stage.pairs[round % stage.pairs.length] as CrashPair;
  times.push((await playCrash(stage, pair)) ?? Number.POSITIVE_INFINITY);
}
times.sort((a, b) => a - b);

for (const [name, { quiet, due, unclear, wrong }] of tally)
  write(`${name}: ${quiet} quiet, ${due} due, ${unclear} unclear, ${wrong} wrong`);
const median = times[Math.floor((times.length - 1) / 2)];
if (median !== undefined)
  write(`crashes: ${times.length}, median ${Math.round(median)} ms, longest ${Math.round(times.at(-1) ?? 0)} ms`);
for (const { child } of stage.bridges) child.kill('SIGKILL');
prober.close();
await sandbox.close();
const unclear = [...tally.values()].reduce((sum, counts) => sum + counts.unclear, 0);
const missed = times.filter((ms) => !Number.isFinite(ms)).length;
write(
  `${rounds} rounds without a crash: ${wrongOnes()} wrong orders, ${unclear} unclear; ${crashes} crashes: ${missed} not ordered`,
);
process.exit(wrongOnes() + missed > 0 ? 1 : 0);
