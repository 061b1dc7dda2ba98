import type { Views } from '../http/views.ts';
import type { LastOutcomes } from '../telemetry/last-outcomes.ts';
import type { MetricsView } from '../telemetry/metrics.ts';

/** Reads what a scrape shows of the running parts. */
export function readMeasures(sources: {
  readonly views: Pick<Views, 'masters' | 'templates' | 'health'>;
  readonly lastOutcomes: LastOutcomes;
  readonly watches: number;
  readonly eventStreams: number;
  readonly logLinesLost: number;
}): MetricsView {
  const { views, lastOutcomes, watches, eventStreams, logLinesLost } = sources;
  const masters = views.masters.list();
  const templates = views.templates.list();
  const health = views.health.read();
  const known = new Set([
    ...masters.map(({ name }) => `bridge ${name}`),
    ...templates.map(({ name }) => `renderer ${name}`),
  ]);
  return {
    masters: masters.map((master) => ({
      ...master,
      sentinelsSeen: master.sentinels.filter(({ epoch }) => epoch !== null).length,
      sentinelsAgreeing: master.sentinels.filter(({ agrees }) => agrees === true).length,
    })),
    templates,
    watches,
    eventStreams,
    logLinesLost,
    ready: health.reasons.every(({ code }) => code !== 'not-ready'),
    problems: health.reasons,
    // The series of a removed key ends.
    lastRuns: lastOutcomes.states().filter(({ loop, key }) => known.has(`${loop} ${key}`)),
  };
}
