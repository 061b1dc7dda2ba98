import type { MetricsView } from '../../lib/telemetry/metrics.ts';

/** What a scrape of a daemon that does nothing reads. */
export const emptyView: MetricsView = {
  masters: [],
  clusters: [],
  instances: [],
  templates: [],
  problems: [],
  watches: 0,
  ready: true,
  consul: { reached: true, outageMs: 0 },
  configCurrent: true,
  eventStreams: 0,
  logLinesLost: 0,
  lastRuns: [],
};
