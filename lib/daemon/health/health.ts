import type { Denial } from '../../consul/watches.ts';
import type { Views } from '../../http/views.ts';
import type { ConsulScope } from '../../model/consul-scope.ts';
import { type Health, toHealth } from '../../model/health.ts';
import { type ConsulState, judgeConsul, judgeIgnoredKeys } from '../../model/judgement/consul.ts';
import { isChanging } from '../../model/judgement/master.ts';
import type { IgnoredKey } from '../../model/records.ts';
import { judgeCluster } from './cluster.ts';
import {
  type ConfigState,
  type InterfacesState,
  type JournalState,
  judgeConfig,
  judgeDenied,
  judgeInterfaces,
  judgeJournal,
  judgeReadiness,
} from './daemon.ts';
import { judgeDesired } from './desired.ts';
import { judgeInstance } from './instance.ts';
import { judgeMaintenance } from './maintenance.ts';
import { judgeMaster, judgeUnlisted } from './master.ts';
import { judgeTemplate } from './template.ts';

/** Everything that is judged. */
export interface Situation {
  readonly views: Pick<
    Views,
    'masters' | 'maintenance' | 'desired' | 'clusters' | 'instances' | 'templates' | 'readiness' | 'outcomes'
  >;
  readonly consul: ConsulState;
  readonly config: ConfigState;
  /** Keys among the records that hold no record. */
  readonly ignoredKeys: readonly IgnoredKey[];
  /** Where in Consul Enterprise they are. */
  readonly scope?: ConsulScope | undefined;
  readonly interfaces: InterfacesState;
  readonly journal: JournalState;
  /** What Consul denies to the token. */
  readonly denied: readonly Denial[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Whether all is well, and why not. Decided here alone: the API, `switchmaster status`, the live page and the metrics
 * show it.
 */
export function judge(situation: Situation): Health {
  const { views, consul, config, ignoredKeys, scope, interfaces, journal, denied, nowMs } = situation;
  const last = (loop: string, key: string) => views.outcomes.last(loop, key);
  return toHealth([
    ...judgeReadiness(views.readiness.missing()),
    ...judgeConsul(consul),
    ...judgeDenied(denied),
    ...judgeConfig(config),
    ...judgeIgnoredKeys(ignoredKeys, scope),
    ...judgeInterfaces(interfaces),
    ...judgeJournal(journal),
    ...views.masters
      .list()
      .flatMap((master) => judgeMaster({ master, lastOutcome: last('bridge', master.name), nowMs })),
    ...judgeUnlisted(views.masters),
    ...judgeMaintenance(views.maintenance.list(), { masters: views.masters.list(), clusters: views.clusters.list() }),
    ...views.desired.list().flatMap((name) => {
      const maintenance = views.masters.get(name)?.maintenance ?? null;
      return judgeDesired(name, { lastOutcome: last('provisioner', name), maintenance });
    }),
    ...views.clusters.list().flatMap(judgeCluster),
    ...views.instances.list().flatMap((instance) => {
      const master = instance.name === null ? undefined : views.masters.get(instance.name);
      const masterChanges = master !== undefined && isChanging({ master, nowMs });
      return judgeInstance(instance, { lastOutcome: last('registrar', instance.id), masterChanges });
    }),
    ...views.templates.list().flatMap((template) => judgeTemplate(template, last('renderer', template.name))),
  ]);
}
