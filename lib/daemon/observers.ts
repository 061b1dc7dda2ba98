import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { JournalConfig } from '../config/model.ts';
import type { RunReport } from '../loop/outcome.ts';
import { type RequestTime, requestChannelName } from '../model/request.ts';
import { Journal, type KeptEntry } from '../telemetry/journal.ts';
import { JournalFile } from '../telemetry/journal-file.ts';
import { LastOutcomes } from '../telemetry/last-outcomes.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics, type MetricsView } from '../telemetry/metrics.ts';
import { makeRunLog } from '../telemetry/run-log.ts';
import type { Conditions } from './conditions.ts';

/** What takes the report of each run of each loop. It outlives every part and every reload. */
export interface Observers {
  readonly journal: Journal;
  readonly lastOutcomes: LastOutcomes;
  readonly metrics: Metrics;
  observe(report: RunReport): void;
  /** Adds a step of a longer operation to the journal and the log only. */
  observeStep(report: RunReport): void;
  /** Waits until the journal's file has every entry. */
  close(): Promise<void>;
}

/** Loads the journal of the previous run, if it has a file. Never throws: it logs a file that fails. */
export async function openObservers(options: {
  readonly journal: JournalConfig;
  readonly log: Log;
  readonly conditions: Pick<Conditions, 'journalFails' | 'journalKept'>;
  readonly version: string;
  readonly view: () => MetricsView;
}): Promise<Observers> {
  const { log } = options;
  const file = openFile(options);
  const earlier = (await file?.load()) ?? [];
  const keep = file === undefined ? {} : { keep: (entry: KeptEntry) => file.append(entry) };
  const journal = new Journal({ capacity: options.journal.entries, earlier, ...keep });
  const lastOutcomes = new LastOutcomes();
  const metrics = new Metrics({ version: options.version, view: options.view });
  const runLog = makeRunLog(log);
  const onRequest = (message: unknown): void => metrics.observeRequest(message as RequestTime);
  subscribe(requestChannelName, onRequest);
  return {
    journal,
    lastOutcomes,
    metrics,
    observe: (report) => {
      lastOutcomes.observe(report);
      metrics.observe(report);
      journal.observe(report);
      runLog(report);
    },
    observeStep: (report) => {
      journal.observe(report);
      runLog(report);
    },
    close: async () => {
      unsubscribe(requestChannelName, onRequest);
      await file?.close();
    },
  };
}

function openFile(options: Parameters<typeof openObservers>[0]): JournalFile | undefined {
  const { log, conditions } = options;
  const { file: path } = options.journal;
  if (path === undefined) return undefined;
  return new JournalFile({
    path,
    onProblem: (error) => {
      conditions.journalFails(path, error);
      log.error({ error }, 'journal not kept');
    },
    onRecovered: () => {
      conditions.journalKept();
      log.info('journal kept again');
    },
  });
}
