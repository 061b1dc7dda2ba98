import type { Views } from '../http/views.ts';
import { formatAddress } from '../model/address.ts';
import type { LastOutcomes } from '../telemetry/last-outcomes.ts';
import type { MetricsView } from '../telemetry/metrics.ts';

/** Reads what a scrape shows of the running parts. */
export function readMeasures(sources: {
  readonly views: Pick<Views, 'masters' | 'templates' | 'clusters' | 'instances' | 'health'>;
  readonly lastOutcomes: LastOutcomes;
  readonly watches: number;
  readonly eventStreams: number;
  readonly logLinesLost: number;
  readonly consul: MetricsView['consul'];
  readonly configCurrent: boolean;
}): MetricsView {
  const { views, lastOutcomes, ...own } = sources;
  const masters = views.masters.list();
  const templates = views.templates.list();
  const health = views.health.read();
  const known = new Set([
    ...masters.map(({ name }) => `bridge ${name}`),
    ...templates.map(({ name }) => `renderer ${name}`),
  ]);
  const unwell = new Set(
    health.reasons
      .filter(({ level, subject: { address } }) => level !== 'well' && address !== null)
      .map(({ subject: { kind, name, address } }) => `${kind} ${name} ${address}`),
  );
  return {
    ...own,
    masters: masters.map((master) => {
      const replicas = master.record?.replicas ?? [];
      const well = replicas.filter((address) => !unwell.has(`master ${master.name} ${formatAddress(address)}`));
      return {
        ...master,
        sentinelsSeen: master.sentinels.filter(({ epoch }) => epoch !== null).length,
        sentinelsAgreeing: master.sentinels.filter(({ agrees }) => agrees === true).length,
        replicas: replicas.length,
        replicasWell: well.length,
      };
    }),
    clusters: views.clusters.list().map(({ name, record }) => ({ name, record })),
    instances: views.instances.list(),
    templates,
    ready: health.reasons.every(({ code }) => code !== 'not-ready'),
    problems: health.reasons,
    // The series of a removed key ends.
    lastRuns: lastOutcomes.states().filter(({ loop, key }) => known.has(`${loop} ${key}`)),
  };
}
