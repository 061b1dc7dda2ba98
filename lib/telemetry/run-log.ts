import type { RunReport } from '../loop/outcome.ts';
import type { Log } from './log.ts';
import { isDoubled, Repetitions, withoutMeasurements } from './repetition.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** After this time without a logged problem, the next one is logged again. */
const restMs = 60_000;

/**
 * Logs each run once, with its reconcile id. A problem that repeats word for word (an unreachable Consul, a lasting hold)
 * is logged when it begins and when it ends, and at `debug` in between. Another thing that repeats (a pause that is renewed,
 * a problem that comes and goes within a minute) is logged when its count has doubled, and at `debug` in between.
 */
export function makeRunLog(log: Log, now: () => number = Date.now): (report: RunReport) => void {
  const repetitions = new Repetitions();
  const lastProblems = new Map<string, string>();
  const lastWarnings = new Map<string, string>();
  const begunMs = new Map<string, number>();
  return (report) => {
    const id = `${report.loop} ${report.key}`;
    const warnings = report.outcome.details?.warnings ?? [];
    if (lastWarnings.get(id) !== String(warnings)) {
      lastWarnings.set(id, String(warnings));
      const { loop, key, reconcileId } = report;
      if (String(warnings) !== '') log.warn({ loop, key, reconcileId, warnings }, 'done with warnings');
    }
    const before = lastProblems.get(id);
    const problem = problemOf(report);
    if (problem === undefined) lastProblems.delete(id);
    else lastProblems.set(id, problem);
    const recovered = before !== undefined && report.outcome.kind === 'unchanged';
    const nowMs = now();
    const repetition = repetitions.count(report, nowMs);
    const lasts = before !== undefined && before === problem;
    const begins = problem !== undefined && before === undefined && nowMs - (begunMs.get(id) ?? -Infinity) >= restMs;
    const quiet = lasts || !(begins || isDoubled(repetition));
    if (problem !== undefined && !quiet) begunMs.set(id, nowMs);
    const level = quiet ? 'debug' : recovered ? 'info' : levelOf(report);
    const [message, fields] = describe(report);
    log[level](
      {
        loop: report.loop,
        key: report.key,
        reconcileId: report.reconcileId,
        ...fields,
        hints: report.hints.map(({ source, event }) => `${source} ${event}`),
        durationMs: Math.round(report.durationMs * 100) / 100,
        ...(report.failures === 0 ? {} : { failures: report.failures }),
        ...(repetition.count === 1
          ? {}
          : { count: repetition.count, since: new Date(repetition.firstMs).toISOString() }),
        ...(report.nextMs === undefined || report.failures === 0 ? {} : { nextMs: Math.round(report.nextMs) }),
      },
      recovered ? 'recovered' : message,
    );
  };
}

/** The problem of a run, to compare with the previous one; undefined if there is none. */
function problemOf({ outcome }: RunReport): string | undefined {
  if (outcome.kind === 'failed') return `${outcome.error.code} ${withoutMeasurements(outcome.error.message)}`;
  return outcome.kind === 'held' ? withoutMeasurements(outcome.summary) : undefined;
}

function levelOf({ outcome }: RunReport): Level {
  switch (outcome.kind) {
    case 'applied':
    case 'fenced':
      return 'info';
    case 'unchanged':
      return 'debug';
    case 'held':
      // Two bridges wait for each other for a moment; only a lasting hold needs attention.
      return (outcome.retryAfterMs ?? 30_000) > 1_000 ? 'warn' : 'debug';
    case 'failed':
      if (outcome.error.code === 'stopping') return 'debug';
      return outcome.error.code === 'internal' || !outcome.error.retryable ? 'error' : 'warn';
  }
}

function describe({ outcome }: RunReport): [string, Record<string, unknown>] {
  const details = outcome.details === undefined ? {} : { details: outcome.details };
  switch (outcome.kind) {
    case 'applied':
    case 'fenced':
    case 'held':
      return [outcome.kind, { summary: outcome.summary, ...details }];
    case 'unchanged':
      return ['unchanged', details];
    case 'failed':
      return ['failed', { error: outcome.error, ...details }];
  }
}
