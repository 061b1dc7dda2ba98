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

/** Whoever is told of each run of each loop. They outlive every part, and so every reload. */
export interface Observers {
  readonly journal: Journal;
  readonly lastOutcomes: LastOutcomes;
  readonly metrics: Metrics;
  observe(report: RunReport): void;
  /** A step on the way of something longer: into the journal and the log only. */
  tell(report: RunReport): void;
  /** Waits until the journal's file holds everything. */
  close(): Promise<void>;
}

/** Reads the journal of an earlier life first, where there is a file. Never throws: a file that fails is logged. */
export async function openObservers(options: {
  readonly journal: JournalConfig;
  readonly log: Log;
  readonly version: string;
  readonly view: () => MetricsView;
}): Promise<Observers> {
  const { log } = options;
  const file = openFile(options.journal, log);
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
    tell: (report) => {
      journal.observe(report);
      runLog(report);
    },
    close: async () => {
      unsubscribe(requestChannelName, onRequest);
      await file?.close();
    },
  };
}

function openFile({ file: path }: JournalConfig, log: Log): JournalFile | undefined {
  if (path === undefined) return undefined;
  return new JournalFile({ path, onProblem: (error) => log.error({ error }, 'journal not kept') });
}
