import { measurePages, type PageSizes } from '../page.ts';
import { type InstancesSizes, measureInstances } from './instances.ts';
import { type MastersSizes, measureMasters } from './masters.ts';
import { measureRenderers, type RenderersSizes } from './renderers.ts';
import { measureServices, type ServicesSizes } from './services.ts';
import type { PlotSpec, Row } from './table.ts';

export interface GrowthSizes extends MastersSizes, RenderersSizes, ServicesSizes, InstancesSizes, PageSizes {}

export type GrowthPart = 'masters' | 'renderers' | 'services' | 'instances' | 'page';

interface Part {
  readonly measure: (sizes: GrowthSizes, progress: (line: string) => void) => Promise<readonly Row[]>;
  readonly plots: readonly PlotSpec[];
}

const byMasters = { x: 'masters', xLabel: 'masters', by: 'daemons' } as const;

export const growthParts: Readonly<Record<GrowthPart, Part>> = {
  masters: {
    measure: measureMasters,
    plots: [
      {
        ...byMasters,
        file: 'masters-memory',
        title: 'Memory of a daemon',
        yLabel: 'MiB',
        y: { residentMib: 'idle', peakMib: 'storm' },
      },
      {
        ...byMasters,
        file: 'masters-cpu',
        title: 'CPU time of an idle daemon',
        yLabel: '% of a core',
        y: { cpuPercent: 'idle' },
      },
      {
        ...byMasters,
        file: 'masters-connections',
        title: 'Connections of a daemon',
        yLabel: 'connections',
        y: { redisConnections: 'Redis', consulConnections: 'Consul', sentinelConnections: 'Sentinel' },
      },
      {
        ...byMasters,
        file: 'masters-requests',
        title: 'Requests to Consul while idle',
        yLabel: 'requests a second',
        y: { consulRequestsPerSecond: 'all' },
      },
      {
        ...byMasters,
        file: 'masters-failover',
        title: 'From a message to the committed transaction',
        yLabel: 'ms',
        y: { failoverMs: 'one', stormP50Ms: 'storm' },
      },
      {
        ...byMasters,
        file: 'masters-storm',
        title: 'A third of all masters killed within a second',
        yLabel: 'ms',
        y: { stormSpanMs: 'first to last', bareMs: 'bare' },
      },
    ],
  },
  renderers: {
    measure: measureRenderers,
    plots: [
      {
        file: 'renderers',
        title: 'From a change of master to written files',
        x: 'templates',
        xLabel: 'templates in one daemon',
        yLabel: 'ms',
        y: { firstMs: 'first', lastMs: 'last', bareMs: 'bare, last' },
      },
    ],
  },
  services: {
    measure: measureServices,
    plots: [
      {
        file: 'services',
        title: 'From a change of a service to the reload',
        x: 'services',
        xLabel: 'services in one template',
        yLabel: 'ms',
        y: { p50Ms: 'median' },
      },
      {
        file: 'services-memory',
        title: 'Memory of a daemon',
        x: 'services',
        xLabel: 'services in one template',
        yLabel: 'MiB',
        y: { residentMib: 'resident' },
      },
    ],
  },
  instances: {
    measure: measureInstances,
    plots: [
      {
        file: 'instances',
        title: 'Instances in one daemon',
        x: 'instances',
        xLabel: 'instances',
        yLabel: 'MiB, % of a core',
        y: { residentMib: 'memory', cpuPercent: 'idle CPU' },
      },
      {
        file: 'instances-start',
        title: 'From the start to all instances registered',
        x: 'instances',
        xLabel: 'instances',
        yLabel: 'ms',
        y: { registeredMs: 'registered' },
      },
    ],
  },
  page: {
    measure: measurePages,
    plots: [
      {
        file: 'page',
        title: 'The live page in a browser',
        x: 'masters',
        xLabel: 'masters',
        yLabel: 'ms',
        y: { shownMs: 'shown', busyMs: 'busy with failovers', idleMs: 'busy while idle' },
      },
    ],
  },
};
