import type { Views } from '../http/views.ts';
import { sameAddress } from '../model/address.ts';
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
    masters: masters.map((master) => ({ ...master, ...countSentinels(master) })),
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

function countSentinels({
  record,
  sentinels,
}: ReturnType<Views['masters']['list']>[number]): Pick<
  MetricsView['masters'][number],
  'sentinelsSeen' | 'sentinelsAgreeing'
> {
  const seen = sentinels.filter(({ epoch }) => epoch !== null);
  const agreeing = seen.filter(
    ({ epoch, master }) =>
      record !== null && epoch === record.epoch && master !== null && sameAddress(master, record.master),
  );
  return { sentinelsSeen: seen.length, sentinelsAgreeing: agreeing.length };
}
