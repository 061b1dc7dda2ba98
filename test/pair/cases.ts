import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../sandbox/condition.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { guideAddresses } from './guide.ts';
import type { PairHost } from './host.ts';
import { holderOf, type PairStage, untilWhole } from './stage.ts';

export interface PairCase {
  readonly name: string;
  /** Whether the address leaves the host that has it, or must not. `may move back`: it moves, and the end of the failure may move it again. */
  readonly expected: 'moves' | 'may move back' | 'stays';
  readonly begin: (holder: PairHost, stage: PairStage) => Promise<void>;
  readonly end: (holder: PairHost, stage: PairStage) => Promise<void>;
}

export interface PairResult {
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
}

const restart = (service: string) => (host: PairHost) => host.start(service);

export const pairCases: readonly PairCase[] = [
  {
    name: 'HAProxy is killed',
    expected: 'moves',
    begin: (holder) => holder.signal('haproxy', 'KILL'),
    end: restart('haproxy'),
  },
  {
    name: 'HAProxy hangs',
    expected: 'moves',
    begin: (holder) => holder.signal('haproxy', 'STOP'),
    end: (holder) => holder.signal('haproxy', 'CONT'),
  },
  {
    name: 'keepalived is stopped',
    expected: 'moves',
    begin: async (holder) => void (await holder.run('systemctl', 'stop', 'keepalived')),
    end: restart('keepalived'),
  },
  {
    name: 'keepalived is killed, with its child',
    expected: 'moves',
    begin: (holder) => holder.signal('keepalived', 'KILL'),
    end: restart('keepalived'),
  },
  {
    name: 'switchmaster is killed',
    expected: 'moves',
    begin: (holder) => holder.signal('switchmaster', 'KILL'),
    end: restart('switchmaster'),
  },
  {
    name: 'the host loses its power',
    expected: 'moves',
    begin: (holder) => holder.die(),
    end: (holder) => holder.boot(),
  },
  {
    name: 'the link of the host goes down',
    expected: 'moves',
    begin: (holder) => holder.link('down'),
    end: (holder) => holder.link('up'),
  },
  {
    name: 'the link of the host loses packets, and stays up',
    expected: 'may move back',
    begin: (holder) => holder.link('silent'),
    end: (holder) => holder.link('up'),
  },
  {
    name: 'switchmaster is restarted',
    expected: 'stays',
    begin: async (holder) => void (await holder.run('systemctl', 'restart', 'switchmaster')),
    end: async () => undefined,
  },
  {
    name: 'Consul is down',
    expected: 'stays',
    begin: (_, { consul }) => consul.kill(),
    end: (_, { consul }) => consul.start(),
  },
  {
    name: 'all Sentinels are down',
    expected: 'stays',
    begin: async (_, { sentinels }) => void (await Promise.all(sentinels.map((sentinel) => sentinel.kill()))),
    end: async (_, { sentinels }) => void (await Promise.all(sentinels.map((sentinel) => sentinel.start()))),
  },
  {
    name: 'Consul and all Sentinels are down',
    expected: 'stays',
    begin: async (_, { consul, sentinels }) =>
      void (await Promise.all([consul, ...sentinels].map((server) => server.kill()))),
    end: async (_, { consul, sentinels }) =>
      void (await Promise.all([consul, ...sentinels].map((server) => server.start()))),
  },
];

export interface Play {
  readonly pairCase: PairCase;
  /** Whether the failure ends, or is left as it is. */
  readonly end: 'repair' | 'leave';
  /** For how long the address must stay where it is, during the failure and after it. */
  readonly observedMs: number;
}

/** Plays a case and resolves with its figures. */
export async function playCase(stage: PairStage, { pairCase, end, observedMs }: Play): Promise<PairResult> {
  await untilWhole(stage);
  const { writer, master } = stage;
  const holder = holderOf(stage);
  const other = stage.hosts.find((host) => host !== holder);
  if (holder === undefined || other === undefined) throw new Error('no host has the address');
  const beganMs = nowMs();
  await pairCase.begin(holder, stage);
  const movedMs = pairCase.expected === 'stays' ? null : await moveTo(other, beganMs);
  // No condition shows that something never happens.
  if (movedMs === null) await delay(observedMs);
  const movedAnyway = movedMs === null && other.has(guideAddresses.shared);
  await anotherWrite(stage);
  const during = figuresSince(stage, beganMs);
  const endedMs = nowMs();
  if (end === 'repair') {
    await pairCase.end(holder, stage);
    await untilWhole(stage);
    await delay(observedMs);
  }
  await anotherWrite(stage);
  const after = figuresSince(stage, endedMs);
  const holderAtTheEnd = holderOf(stage);
  const { lost, of } = await writer.lostAt(master.address, beganMs);
  return {
    name: pairCase.name,
    movedMs: movedAnyway ? Math.round(nowMs() - beganMs) : movedMs,
    outageMs: during.outageMs,
    errors: during.errors,
    backOutageMs: after.outageMs,
    backErrors: after.errors,
    movedBack: holderAtTheEnd !== (movedMs === null ? holder : other),
    lost: lost.length,
    acknowledged: of,
  };
}

async function moveTo(host: PairHost, beganMs: number): Promise<number> {
  await waitFor(`${host.name} to have the address`, () => host.has(guideAddresses.shared), {
    timeoutMs: 60_000,
    intervalMs: 20,
  });
  return Math.round(nowMs() - beganMs);
}

async function anotherWrite({ writer }: PairStage): Promise<void> {
  const written = writer.acknowledged.size;
  await waitFor('another write', () => writer.acknowledged.size > written, { timeoutMs: 30_000 });
}

function figuresSince({ writer }: PairStage, sinceMs: number) {
  return {
    outageMs: Math.round(writer.longestGap(sinceMs)),
    errors: writer.errors.filter(({ atMs }) => atMs >= sinceMs).length,
  };
}

/** What is not as it should be; empty if all is. */
export function judgeResult({ expected }: PairCase, result: PairResult): readonly string[] {
  const { movedMs, movedBack, lost } = result;
  return [
    ...(expected === 'stays' && movedMs !== null ? ['the address moved'] : []),
    ...(expected !== 'may move back' && movedBack ? ['the address moved back'] : []),
    ...(lost > 0 ? [`${lost} acknowledged writes are lost`] : []),
  ];
}
