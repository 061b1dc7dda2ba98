import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { killMaster } from '../../lib/drill/kill.ts';
import { findProcess } from '../../lib/drill/process.ts';
import { awaitSuccessor, whyNotKill } from '../../lib/drill/successor.ts';
import type { MasterRecord } from '../../lib/model/record.ts';

type Known = Parameters<typeof whyNotKill>[1] & { readonly record: MasterRecord };
const whyNot = (known: Known) => whyNotKill(known.record, known);

const [master, replica] = [
  { host: '127.0.0.1', port: 1 },
  { host: '127.0.0.1', port: 2 },
];
const record: MasterRecord = {
  version: 1,
  name: 'shard1',
  generation: 1,
  epoch: 3,
  phase: 'confirmed',
  master,
  replicas: [replica],
  previous: null,
  reason: 'test',
  changedAt: '2026-01-01T00:00:00.000Z',
  changedBy: 'test',
};
const moved: MasterRecord = { ...record, epoch: 4, master: replica, replicas: [master] };

async function startProcess(t: Test): Promise<{ readonly process: ChildProcess; readonly pid: number }> {
  const process = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(process, 'spawn');
  t.teardown(() => void process.kill('SIGKILL'));
  return { process, pid: process.pid ?? 0 };
}

/** Answers with each record in turn, and then with the last one. */
function answers(...records: readonly (MasterRecord | null)[]) {
  let asked = 0;
  return async () => records[Math.min(asked++, records.length - 1)] ?? null;
}

t.test('a kill is reported as soon as it happened, and ends with the new master', async (t) => {
  const { process, pid } = await startProcess(t);
  const reported: string[] = [];
  const readRecord = answers(record, record, moved);
  const ended = once(process, 'exit');
  const order = await killMaster(record, {
    pid,
    findProcess: async () => pid,
    readRecord,
    timeoutMs: 10_000,
    onKilled: () => reported.push('killed'),
  });
  t.match(order, { from: master, to: replica, epoch: 4 });
  t.strictSame((await ended)[1], 'SIGKILL');
  t.strictSame(reported, ['killed']);
});

t.test('nothing is killed, and no kill is reported, where something has changed since the confirmation', async (t) => {
  const { process, pid } = await startProcess(t);
  const same = { pid, findProcess: async () => pid, readRecord: answers(record), timeoutMs: 50 };
  const gone = spawn('true');
  await once(gone, 'exit');
  const dead = gone.pid ?? 0;
  const cases = {
    'another master': { ...same, readRecord: answers(moved) },
    'another epoch': { ...same, readRecord: answers({ ...record, epoch: 4 }) },
    'another generation': { ...same, readRecord: answers({ ...record, generation: 2 }) },
    'no record': { ...same, readRecord: answers(null) },
    'another process': { ...same, findProcess: async () => pid + 1 },
    'no process': { ...same, pid: dead, findProcess: async () => dead },
  };
  for (const [what, options] of Object.entries(cases)) {
    const onKilled = () => t.fail(`${what}: reported a kill`);
    await t.rejects(killMaster(record, { ...options, onKilled }), { code: 'failover-refused' }, what);
  }
  const unproven = async () => Promise.reject(new Error('no proof'));
  const onKilled = () => t.fail('reported a kill');
  await t.rejects(killMaster(record, { ...same, findProcess: unproven, onKilled }), { message: 'no proof' });
  t.equal(process.exitCode ?? process.signalCode, null, 'the process lives');
});

t.test('a kill is reported also where no failover follows', async (t) => {
  const { pid } = await startProcess(t);
  const reported: string[] = [];
  const onKilled = () => reported.push('killed');
  const options = { pid, findProcess: async () => pid, readRecord: answers(record), timeoutMs: 20, onKilled };
  await t.rejects(killMaster(record, options), { code: 'failover-stalled' });
  t.strictSame(reported, ['killed']);
});

t.test('a server at an address of another host is not proven to be a process of this one', async (t) => {
  // TEST-NET-1 (RFC 5737): it belongs to no host.
  const elsewhere = { host: '192.0.2.1', port: 6379 };
  await t.rejects(findProcess(elsewhere, {}), { code: 'failover-refused' });
});

t.test('a master without a possible successor is not killed', (t) => {
  const seen = { address: replica, condition: 'up', priority: 100 };
  const voice = { agrees: true, tiltSince: null, replicas: [seen] };
  const sentinels = [voice, voice, voice];
  const known = { maintenance: null, sentinels };
  t.equal(whyNotKill(record, known), undefined);
  const silent = { agrees: null, tiltSince: null, replicas: [] };
  t.equal(whyNotKill(record, { ...known, sentinels: [voice, voice, silent] }), undefined);
  const down = { ...voice, replicas: [{ ...seen, condition: 'link-down' }] };
  t.match(whyNotKill(record, { ...known, sentinels: [voice, down, voice] }), { lasts: 'for-now', why: 'in sync' });
  for (const priority of [0, null]) {
    const excluded = { ...voice, replicas: [{ ...seen, priority }] };
    t.match(
      whyNotKill(record, { ...known, sentinels: [voice, excluded, voice] }),
      { lasts: 'for-now', why: 'may be promoted' },
      `${priority}`,
    );
  }
  const tilted = { ...voice, tiltSince: '2026-01-01T00:00:00.000Z' };
  t.equal(whyNotKill(record, { ...known, sentinels: [voice, tilted, voice] }), undefined);
  t.match(whyNotKill(record, { ...known, sentinels: [tilted, tilted, voice] }), {
    lasts: 'for-now',
    why: '1 of 3 Sentinels',
  });
  t.match(whyNotKill(record, { ...known, sentinels: [voice, silent, silent] }), {
    lasts: 'for-now',
    why: '1 of 3 Sentinels',
  });
  t.match(whyNotKill(record, { ...known, sentinels: [] }), { lasts: 'for-now', why: '0 of 0 Sentinels' });
  t.match(whyNotKill({ ...record, replicas: [] }, known), { lasts: 'until-changed', why: 'no replica' });
  t.match(whyNotKill({ ...record, phase: 'promoted' }, known), { lasts: 'for-now', why: 'not confirmed' });
  t.match(whyNotKill(record, { ...known, maintenance: { state: 'on', text: 'until 12:00' } }), {
    lasts: 'until-changed',
    why: 'maintenance',
  });
  t.equal(whyNotKill(record, { ...known, maintenance: { state: 'ended', text: 'until 12:00' } }), undefined);
  t.end();
});

t.test('a kill waits for what ends by itself, says for what, and uses the record of that moment', async (t) => {
  const voice = { agrees: true, tiltSince: null, replicas: [{ address: replica, condition: 'up', priority: 100 }] };
  const known = { maintenance: null, sentinels: [voice], record };
  const early = { ...known, sentinels: [{ ...voice, replicas: [] }] };
  const unconfirmed = { ...known, record: { ...record, phase: 'promoted' as const } };
  const later = { ...record, epoch: 4 };
  const asked = [unconfirmed, early, early, { ...known, record: later }];
  const waits: string[] = [];
  const onWait = (why: string) => void waits.push(why);
  const ask = async () => asked.shift() ?? early;
  t.equal(await awaitSuccessor({ ask, whyNot, timeoutMs: 10_000, onWait }), later);
  t.match(waits, ['not confirmed', 'in sync']);
  await t.rejects(awaitSuccessor({ ask, whyNot, timeoutMs: 20, onWait }), {
    code: 'failover-refused',
    message: /in sync/,
  });
  const alone = async () => ({ ...known, record: { ...record, replicas: [] } });
  const onNothing = () => t.fail('waits for nothing');
  await t.rejects(awaitSuccessor({ ask: alone, whyNot, timeoutMs: 10_000, onWait: onNothing }), {
    message: /no replica/,
  });
});
