import { setTimeout as delay } from 'node:timers/promises';
import { type CDPSession, chromium, type Page } from 'playwright-core';
import { EventStreams } from '../lib/http/events.ts';
import { makeServer } from '../lib/http/server.ts';
import type { MasterState } from '../lib/http/views.ts';
import { formatAddress } from '../lib/model/address.ts';
import { masterChecks } from '../lib/model/master-check.ts';
import { Journal } from '../lib/telemetry/journal.ts';
import { chromiumAt } from '../test/http/page/browser.ts';
import { addressOf, masterAt } from '../test/http/page/world.ts';
import { exampleViews } from '../test/http/views.ts';
import { round } from './statistics.ts';

export interface PageBenchOptions {
  readonly masters: readonly number[];
  readonly failovers: number;
  readonly json?: boolean;
}

export interface PageSizes {
  /** Masters on the page. */
  readonly page: readonly number[];
}

export interface PageResult extends Record<string, number> {
  readonly masters: number;
  /** From the navigation to the first complete view, in ms. */
  readonly shownMs: number;
  /** Of the page's main thread while so many masters fail over within a second, and 12 s after that. */
  readonly busyMs: number;
  readonly longestTaskMs: number;
  /** The same for 12 s in which nothing happens. */
  readonly idleMs: number;
  readonly elements: number;
}

const observedMs = 12_000;

/** The live page in Debian's Chromium, over masters that need no servers: how long its main thread is busy. */
export async function benchPage({ masters, failovers, json }: PageBenchOptions): Promise<void> {
  const results = await measureAll(masters, failovers);
  if (json) process.stdout.write(`${JSON.stringify({ failovers, results })}\n`);
  else report(results, failovers);
}

/** The same as a part of `bench growth`; values as of `PageResult`. */
export async function measurePages({ page }: PageSizes): Promise<readonly PageResult[]> {
  const results = await measureAll(page, 10);
  return results.map(
    (result) => Object.fromEntries(Object.entries(result).map(([name, value]) => [name, round(value)])) as PageResult,
  );
}

async function measureAll(sizes: readonly number[], failovers: number): Promise<readonly PageResult[]> {
  const browser = await chromium.launch(chromiumAt);
  try {
    const results: PageResult[] = [];
    for (const count of sizes) results.push(await measure(await browser.newPage(), { count, failovers }));
    return results;
  } finally {
    await browser.close();
  }
}

async function measure(
  page: Page,
  { count, failovers }: { readonly count: number; readonly failovers: number },
): Promise<PageResult> {
  const masters = Array.from({ length: count }, (_, index) => masterAt(index));
  const journal = new Journal({ capacity: 2_000 });
  const views = exampleViews({ masters, journal });
  const streams = new EventStreams(journal, {});
  const server = makeServer({ views, streams, token: undefined, version: '0.0.0', onDefect: (error) => void error });
  try {
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    await page.addInitScript(observeLongTasks);
    const startedMs = performance.now();
    await page.goto(url);
    await page.locator('#link[data-link="live"]').waitFor();
    await page.locator('#masters-groups li').first().waitFor();
    const shownMs = performance.now() - startedMs;
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const idleMs = await busy(session, () => delay(observedMs));
    const busyMs = await busy(session, async () => {
      for (let index = 0; index < Math.min(failovers, count); index += 1) {
        void failOver({ masters, journal }, index);
        await delay(1_000 / failovers);
      }
      await delay(observedMs);
    });
    const longestTaskMs = await page.evaluate(() => Math.max(0, ...(globalThis as unknown as LongTasks).longTasks));
    const elements = await page.locator('*').count();
    return { masters: count, shownMs, busyMs, longestTaskMs, idleMs, elements };
  } finally {
    await server.close();
    await page.close();
  }
}

interface LongTasks {
  readonly longTasks: readonly number[];
}

const observeLongTasks = `
  globalThis.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
`;

/** How long the main thread worked meanwhile, in ms. */
async function busy(session: CDPSession, meanwhile: () => Promise<unknown>): Promise<number> {
  const before = await taskMs(session);
  await meanwhile();
  return (await taskMs(session)) - before;
}

async function taskMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
}

interface Storm {
  readonly masters: MasterState[];
  readonly journal: Journal;
}

/** Suspected, failed over, confirmed: each stage half a second after the one before, as the bridge reports it. */
async function failOver({ masters, journal }: Storm, index: number): Promise<void> {
  const before = masters[index];
  if (before?.record == null) return;
  masters[index] = { ...before, check: { ...masterChecks.suspected } };
  await delay(500);
  const record = {
    ...before.record,
    epoch: before.record.epoch + 1,
    phase: 'promoted' as const,
    master: addressOf(index, 'replica'),
    previous: addressOf(index),
    replicas: [addressOf(index)],
    reason: 'failover',
    changedAt: new Date().toISOString(),
  };
  masters[index] = { ...before, record, check: { ...masterChecks.promoted } };
  observe(journal, {
    key: before.name,
    summary: `master is ${formatAddress(record.master)}`,
    cause: 'failover',
    record,
  });
  await delay(500);
  const confirmed = { ...record, phase: 'confirmed' as const };
  const sentinels = before.sentinels.map((vote) => ({ ...vote, master: record.master, epoch: record.epoch }));
  masters[index] = { ...before, record: confirmed, sentinels, check: { ...masterChecks.up } };
  observe(journal, { key: before.name, summary: 'confirmed', cause: 'confirmed', record: confirmed });
}

function observe(
  journal: Journal,
  {
    key,
    summary,
    ...details
  }: { readonly key: string; readonly summary: string; readonly cause: string; readonly record: object },
): void {
  const stages = { observedMs: 2, plannedMs: 2.5, committedMs: 8 };
  journal.observe({
    loop: 'bridge',
    key,
    reconcileId: `${key} ${summary}`,
    hints: [],
    outcome: { kind: 'applied', summary, details: { ...details, stages } },
    startedMs: performance.now(),
    durationMs: 8,
    failures: 0,
    nextMs: undefined,
  });
}

function report(results: readonly PageResult[], failovers: number): void {
  process.stdout.write(`the live page, ms of its main thread; ${failovers} failovers within a second\n`);
  process.stdout.write('masters   shown   12 s idle   failovers and 12 s   longest task   elements\n');
  for (const { masters, shownMs, idleMs, busyMs, longestTaskMs, elements } of results) {
    const cells = [shownMs, idleMs, busyMs, longestTaskMs].map((ms) => String(round(ms)));
    const [shown = '', idle = '', storm = '', longest = ''] = cells;
    process.stdout.write(
      `${String(masters).padStart(7)}${shown.padStart(8)}${idle.padStart(12)}${storm.padStart(21)}${longest.padStart(15)}${String(elements).padStart(11)}\n`,
    );
  }
}
