import { setTimeout as delay } from 'node:timers/promises';
import type { NumberWriter } from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import { nowMs } from '../sandbox/recorder.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { guideAddresses } from './guide.ts';

/** A host that can have the shared address. */
export interface SharingHost {
  readonly name: string;
  /** Whether one of its interfaces has the address. */
  has(address: string): boolean;
}

export interface SharingStage<Host extends SharingHost> {
  readonly hosts: readonly [Host, Host];
  readonly master: RedisServer;
  /** The application: it connects to the shared address alone, from a third machine. */
  readonly writer: NumberWriter;
  /** Resolves when either host could have the address. */
  untilWell(): Promise<void>;
  /** How many checks of the host ended by their time limit so far. On a busy machine they do, and then the address moves. */
  slowChecks(host: Host): number;
}

/** Whether the address leaves the host that has it, or must not. `may move back`: it moves, and the end of the failure may move it again. */
type Expected = 'moves' | 'may move back' | 'stays';

export interface FailureCase<Host extends SharingHost, Stage extends SharingStage<Host>> {
  readonly name: string;
  readonly expected: Expected;
  /** Whether checks of the host that has the address end by their time limit because of the failure itself. */
  readonly holdsUpChecks?: true;
  readonly begin: (holder: Host, stage: Stage) => Promise<void>;
  readonly end: (holder: Host, stage: Stage) => Promise<void>;
}

export interface FailureResult {
  readonly name: string;
  /** From the failure until the other host has the address; null if it does not get it. */
  readonly movedMs: number | null;
  /** The longest time without an acknowledged write, and the failed writes and connections. */
  readonly outageMs: number;
  readonly errors: number;
  /** The same for the time after the failure has ended. */
  readonly backOutageMs: number;
  readonly backErrors: number;
  readonly movedBack: boolean;
  /** Acknowledged writes that the master does not have, of all. */
  readonly lost: number;
  readonly acknowledged: number;
  /** Checks that ended by their time limit, without those that the failure itself held up. */
  readonly slowChecks: number;
}

export interface Play<Host extends SharingHost, Stage extends SharingStage<Host>> {
  readonly failure: FailureCase<Host, Stage>;
  /** Whether the failure ends, or is left as it is. */
  readonly end: 'repair' | 'leave';
  /** For how long the address must stay where it is, during the failure and after it. */
  readonly observedMs: number;
}

/** Plays a case and resolves with its figures. */
export async function playCase<Host extends SharingHost, Stage extends SharingStage<Host>>(
  stage: Stage,
  { failure, end, observedMs }: Play<Host, Stage>,
): Promise<FailureResult> {
  await untilWhole(stage);
  const { writer, master } = stage;
  const holder = holderOf(stage);
  const other = stage.hosts.find((host) => host !== holder);
  if (holder === undefined || other === undefined) throw new Error('no host has the address');
  const measured: readonly Host[] = failure.holdsUpChecks === true ? [other] : stage.hosts;
  const slowChecks = () => sumOf(measured.map((host) => stage.slowChecks(host)));
  const slowBefore = slowChecks();
  const beganMs = nowMs();
  await failure.begin(holder, stage);
  const movedMs = await moveTo(other, { beganMs, ...(failure.expected === 'stays' ? { observedMs } : {}) });
  await anotherWrite(stage);
  const during = figuresSince(stage, beganMs);
  const endedMs = nowMs();
  if (end === 'repair') {
    await failure.end(holder, stage);
    await untilWhole(stage);
    await delay(observedMs);
  }
  await anotherWrite(stage);
  const after = figuresSince(stage, endedMs);
  const holderAtTheEnd = holderOf(stage);
  const { lost, of } = await writer.lostAt(master.address, beganMs);
  return {
    name: failure.name,
    movedMs,
    outageMs: during.outageMs,
    errors: during.errors,
    backOutageMs: after.outageMs,
    backErrors: after.errors,
    movedBack: holderAtTheEnd !== (movedMs === null ? holder : other),
    lost: lost.length,
    acknowledged: of,
    slowChecks: slowChecks() - slowBefore,
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

/** Waits for the move, or where it must not happen, for `observedMs`: no condition shows that something never happens. */
async function moveTo(
  host: SharingHost,
  { beganMs, observedMs }: { readonly beganMs: number; readonly observedMs?: number },
): Promise<number | null> {
  const moved = waitFor(`${host.name} to have the address`, () => host.has(guideAddresses.shared), {
    timeoutMs: observedMs ?? 60_000,
    intervalMs: 20,
  }).then(() => Math.round(nowMs() - beganMs));
  return observedMs === undefined ? moved : moved.catch(() => null);
}

async function anotherWrite({ writer }: SharingStage<SharingHost>): Promise<void> {
  const written = writer.acknowledged.size;
  await waitFor('another write', () => writer.acknowledged.size > written, { timeoutMs: 30_000 });
}

function figuresSince({ writer }: SharingStage<SharingHost>, sinceMs: number) {
  return {
    outageMs: Math.round(writer.longestGap(sinceMs)),
    errors: writer.errors.filter(({ atMs }) => atMs >= sinceMs).length,
  };
}

/** What is not as it should be; empty if all is. */
export function judgeResult({ expected }: { readonly expected: Expected }, result: FailureResult): readonly string[] {
  const { movedMs, movedBack, lost } = result;
  return [
    ...(expected === 'stays' && movedMs !== null ? ['the address moved'] : []),
    ...(expected !== 'may move back' && movedBack ? ['the address moved back'] : []),
    ...(lost > 0 ? [`${lost} acknowledged writes are lost`] : []),
  ];
}

/** Whether the machine may have been too busy for the case, so that it is played again. No load excuses a lost write. */
export function isExcused(result: Pick<FailureResult, 'lost' | 'slowChecks'>): boolean {
  return result.lost === 0 && result.slowChecks > 0;
}

function describeResult(result: FailureResult): string {
  const { name, movedMs, outageMs, errors, backOutageMs, backErrors, movedBack, lost, acknowledged } = result;
  const moved = movedMs === null ? 'the address stayed' : `the address moved after ${movedMs} ms`;
  const back = `then ${backOutageMs} ms (${backErrors} errors)${movedBack ? ', and it moved back' : ''}`;
  return `${name}: ${moved}; no write for ${outageMs} ms (${errors} errors); ${back}; ${lost} of ${acknowledged} writes lost`;
}

/** Resolves when either host could have the address, exactly one does, and the application writes. */
export async function untilWhole(stage: SharingStage<SharingHost>): Promise<void> {
  await stage.untilWell();
  await waitFor('one host to have the address', () => holderOf(stage), { timeoutMs: 60_000 });
  const written = stage.writer.acknowledged.size;
  await waitFor('a write', () => stage.writer.acknowledged.size > written);
}

/** The only host that has the address; undefined if none or both have it. */
function holderOf<Host extends SharingHost>({ hosts }: SharingStage<Host>): Host | undefined {
  const [holder, another] = hosts.filter((host) => host.has(guideAddresses.shared));
  return another === undefined ? holder : undefined;
}

const attempts = 3;

/**
 * Plays each case and prints its figures. One that ends in another way than expected while checks ended by their time limit is played again: the
 * machine was too busy for them. One that loses a write is not. Resolves with what is not as it should be.
 */
export async function playAll<Host extends SharingHost, Stage extends SharingStage<Host>>(
  stage: Stage,
  plays: readonly Play<Host, Stage>[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const play of plays)
    for (let attempt = 1; ; attempt += 1) {
      const result = await playCase(stage, play);
      const found = judgeResult(play.failure, result);
      process.stdout.write(`${describeResult(result)}\n`);
      const busy = found.length > 0 && isExcused(result);
      if (busy) process.stdout.write(`  ${result.slowChecks} checks ended by their time limit: ${found.join(', ')}\n`);
      if (busy && attempt < attempts) continue;
      const why = busy ? ` (${attempts} times, while checks ended by their time limit: this machine is too busy)` : '';
      wrong.push(...found.map((what) => `${result.name}: ${what}${why}`));
      break;
    }
  for (const what of wrong) process.stdout.write(`WRONG ${what}\n`);
  return wrong;
}
