import type { z } from 'zod';
import type {
  clustersAnswer,
  desiredAnswer,
  instancesAnswer,
  masterAnswer,
  mastersAnswer,
  templateAnswer,
  templatesAnswer,
} from '../lib/http/shapes.ts';
import { formatAddress } from '../lib/model/address.ts';

export type Master = z.output<typeof masterAnswer>;
export type Template = z.output<typeof templateAnswer>;
export type Cluster = z.output<typeof clustersAnswer>['clusters'][number];
export type Instance = z.output<typeof instancesAnswer>['instances'][number];

/** What the API answers of everything that a daemon does. */
export type Status = z.output<typeof mastersAnswer> &
  z.output<typeof clustersAnswer> &
  z.output<typeof instancesAnswer> &
  z.output<typeof desiredAnswer> &
  z.output<typeof templatesAnswer> & {
    /** Whether everything was observed in full once; else what was not. */
    readonly ready: true | string;
  };

/** Everything that is not well, each as a sentence that names it; empty where all is. */
export function findUnwell({ ready, masters, desired, clusters, instances, templates }: Status): readonly string[] {
  return [
    ...(ready === true ? [] : [ready]),
    ...masters.flatMap((master) => masterFaults(master).map((fault) => `${master.name}: ${fault}`)),
    ...desired.flatMap(({ name, lastOutcome }) => stopped(lastOutcome).map((why) => `desired/${name}: ${why}`)),
    ...clusters.flatMap((cluster) => clusterFaults(cluster).map((fault) => `${cluster.name}: ${fault}`)),
    ...instances.flatMap(instanceFaults),
    ...templates.flatMap(templateFaults),
  ];
}

function masterFaults({ record, check, troubles, lastOutcome }: Master): readonly string[] {
  const told = troubles.map(({ message }) => message);
  const last = stopped(lastOutcome).filter((summary) => !told.includes(summary));
  if (record === null) return ['no record', ...told, ...last];
  const opinion = check?.status === 'passing' ? [] : [check === null ? 'unknown' : `${check.status}, ${check.output}`];
  return [...opinion, ...told, ...last];
}

function clusterFaults({ record, trouble }: Cluster): readonly string[] {
  if (record === null) return [trouble ?? 'no record'];
  const whole = record.state === 'ok' && record.uncovered.length === 0;
  return [...(whole ? [] : ['slots without a master']), ...(trouble === null ? [] : [trouble])];
}

function instanceFaults({ kind, address, check }: Instance): readonly string[] {
  if (check === null || check.status === 'passing') return [];
  return [`${kind} ${formatAddress(address)}: ${check.status}, ${check.output}`];
}

/** One that waits for its turn, or for a moment, is on its way. */
function templateFaults({ name, state, held, lastOutcome }: Template): readonly string[] {
  const onItsWay = held === null && (state === 'current' || state === 'queued' || state === 'new');
  const why = onItsWay && lastOutcome?.kind === 'held' ? [] : stopped(lastOutcome);
  if (why.length === 0 && (state === 'failed' || held !== null)) return [`${name}: ${state}`];
  return why.map((summary) => `${name}: ${state}: ${summary}`);
}

function stopped(lastOutcome: Master['lastOutcome']): readonly string[] {
  return lastOutcome?.kind === 'failed' || lastOutcome?.kind === 'held' ? [lastOutcome.summary] : [];
}
