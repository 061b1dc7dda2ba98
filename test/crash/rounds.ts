// Rounds in a network of its own: started by main.ts. argv: seed, rounds, crashes.
import { setTimeout as delay } from 'node:timers/promises';
import { tryConnect } from '../../lib/crash/connect-attempt.ts';
import type { Address } from '../../lib/model/address.ts';
import { Random } from '../chaos/random.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { events, type Scene } from './events.ts';
import { type CrashStage, crashAfterMs, startStage, untilWhole } from './stage.ts';

const [seed = 1, rounds = 100, crashes = 10] = process.argv.slice(2).map(Number);
const write = (text: string) => process.stdout.write(`${text}\n`);

/** Measures for how long at a time nobody listens at the address. */
class Prober {
  readonly #ended = new AbortController();
  longestMs = 0;

  constructor(address: Address) {
    void this.#probe(address);
  }

  stop(): void {
    this.#ended.abort();
  }

  async #probe(to: Address): Promise<void> {
    let acceptedMs = performance.now();
    while (!this.#ended.signal.aborted) {
      const answer = await tryConnect({ to, from: undefined }, { timeoutMs: 1_000 });
      const nowMs = performance.now();
      if (answer === 'refused') this.longestMs = Math.max(this.longestMs, nowMs - acceptedMs);
      else acceptedMs = nowMs;
      await delay(1);
    }
  }
}

/** Longer than it takes a bridge to end a case after a connection was accepted. */
const quietMs = 150;

/** An order is wrong unless nobody listened for longer than the proof takes. */
async function playEvent(stage: CrashStage, name: string, random: () => number): Promise<'quiet' | 'due' | 'wrong'> {
  const whole = await untilWhole(stage);
  stage.words.length = 0;
  const prober = new Prober(whole.master.address);
  await events[name]?.({ ...stage, ...whole, random } satisfies Scene);
  await untilWhole(stage);
  // No condition shows that something never happens.
  await delay(quietMs);
  prober.stop();
  const ordered = stage.words.filter(({ outcome }) => outcome === 'applied');
  if (ordered.length === 0) return 'quiet';
  if (prober.longestMs >= crashAfterMs) return 'due';
  write(`${name}: ${JSON.stringify(ordered)}; refused for ${prober.longestMs} ms`);
  return 'wrong';
}

/** Milliseconds from SIGKILL to the replica's first answer as a master; undefined where no bridge ordered it. */
async function playCrash(stage: CrashStage): Promise<number | undefined> {
  const { master, replica } = await untilWhole(stage);
  // The last failover must be longer ago than failover-timeout.
  await delay(1_100);
  stage.words.length = 0;
  const startedMs = performance.now();
  await master.kill();
  const role = async () => ((await replica.command('ROLE')) as unknown[])[0];
  await waitFor('the replica to be master', role, {
    until: (said) => said === 'master',
    intervalMs: 2,
    timeoutMs: 60_000,
  });
  const tookMs = performance.now() - startedMs;
  const ordered = await waitFor('the report', () => stage.words.length, { timeoutMs: 5_000 }).catch(() => 0);
  const applied = stage.words.filter(({ outcome }) => outcome === 'applied').length;
  if (ordered > 0 && applied === 1) return tookMs;
  write(`crash: ${Math.round(tookMs)} ms, ${applied} orders: ${JSON.stringify(stage.words)}`);
  return undefined;
}

const sandbox = await Sandbox.open({ name: 'crash-rounds' });
process.on('uncaughtException', (error) => {
  console.error(error, sandbox.logTails({ lines: 20 }));
  process.exit(1);
});
const stage = await startStage(sandbox);
const random = new Random(seed);
const tally = new Map<string, Record<'quiet' | 'due' | 'wrong', number>>();
const names = Object.keys(events);
for (let round = 0; round < rounds; round += 1) {
  const name = names[round % names.length] ?? '';
  const end = await playEvent(stage, name, () => random.next());
  const counts = tally.get(name) ?? { quiet: 0, due: 0, wrong: 0 };
  counts[end] += 1;
  tally.set(name, counts);
}
const times: number[] = [];
for (let round = 0; round < crashes; round += 1) times.push((await playCrash(stage)) ?? Number.POSITIVE_INFINITY);
times.sort((a, b) => a - b);

for (const [name, { quiet, due, wrong }] of tally) write(`${name}: ${quiet} quiet, ${due} due, ${wrong} wrong`);
const median = times[Math.floor((times.length - 1) / 2)];
if (median !== undefined)
  write(`crashes: ${times.length}, median ${Math.round(median)} ms, longest ${Math.round(times.at(-1) ?? 0)} ms`);
for (const { child } of stage.bridges) child.kill('SIGKILL');
await sandbox.close();
const wrong = [...tally.values()].reduce((sum, counts) => sum + counts.wrong, 0);
const missed = times.filter((ms) => !Number.isFinite(ms)).length;
write(`${rounds} rounds without a crash: ${wrong} wrong orders; ${crashes} crashes: ${missed} not ordered`);
process.exit(wrong + missed > 0 ? 1 : 0);
