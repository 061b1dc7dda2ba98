import { hostname } from 'node:os';
import { SwitchmasterError } from '../errors.ts';
import type { TemplateControls, Views } from '../http/views.ts';
import type { Assembly } from './assembly.ts';
import type { Conditions } from './conditions.ts';
import { judgeReadiness } from './health/daemon.ts';
import { judge } from './health/health.ts';

/** What is the same for all parts that ever run. */
type Outlasting = 'masterControls' | 'clusterControls' | 'maintenanceControls' | 'outcomes' | 'journal' | 'metrics';

export interface ViewSources extends Pick<Views, Outlasting> {
  readonly assembly: Assembly;
  readonly conditions: Conditions;
}

/** The views of the parts that run when the API reads them. */
export function unionViews({ assembly, conditions, ...rest }: ViewSources): Views {
  const views = { ...rest, ...unionParts(assembly) };
  const health = {
    read: () => {
      const { consul, config, ignoredKeys, interfaces, journal, denied, scope } = conditions;
      return judge({
        views,
        consul,
        config,
        ignoredKeys,
        scope,
        interfaces,
        journal,
        denied,
        nowMs: Date.now(),
      });
    },
    notReady: () => judgeReadiness(assembly.missing()),
  };
  return { ...views, health };
}

function unionParts(assembly: Assembly): Omit<Views, 'health' | Outlasting> {
  const masters = () => assembly.parts.flatMap((part) => part.masters ?? []);
  const templates = () => assembly.parts.flatMap((part) => part.templates ?? []);
  return {
    masters: {
      list: () => masters().flatMap((view) => view.list()),
      get: (name) => first(masters(), (view) => view.get(name)),
      sentinels: () => masters().flatMap((view) => view.sentinels()),
      *records() {
        for (const view of masters()) yield* view.records();
      },
      lag: (name, replica) => first(masters(), (view) => view.lag(name, replica)),
    },
    clusters: { list: () => assembly.parts.flatMap(({ clusters }) => clusters?.list() ?? []) },
    maintenance: { list: () => assembly.parts.flatMap(({ maintenance }) => maintenance?.list() ?? []) },
    desired: { list: () => assembly.parts.flatMap(({ desired }) => desired?.list() ?? []) },
    instances: { list: () => assembly.parts.flatMap(({ instances }) => instances?.list() ?? []) },
    templates: {
      list: () => templates().flatMap((view) => view.list()),
      get: (name) => first(templates(), (view) => view.get(name)),
      rendered: async (name, reader) => first(templates(), (view) => view.rendered(name, reader)),
      present: async (name, reader) => first(templates(), (view) => view.present(name, reader)),
    },
    templateControls: {
      render: (name) => controlsOf(assembly).render(name),
      approve: (name, options) => controlsOf(assembly).approve(name, options),
    },
    readiness: { missing: () => assembly.missing() },
    node: { name: hostname(), parts: () => assembly.parts.map(({ name }) => name) },
  };
}

function controlsOf(assembly: Assembly): TemplateControls {
  const controls = first(assembly.parts, (part) => part.templateControls);
  if (controls === undefined) throw new SwitchmasterError('not-found', 'this node renders no templates');
  return controls;
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
