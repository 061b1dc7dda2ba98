import type { Test } from 'tap';
import { Access } from '../../../lib/endpoint/access.ts';
import type { EndpointFacts } from '../../../lib/endpoint/plan/information.ts';
import type { ServedView } from '../../../lib/endpoint/plan/view.ts';
import { EndpointServer, type EndpointServerOptions } from '../../../lib/endpoint/server.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';

export interface Serving {
  readonly view: ServedView;
  /** 40 hexadecimal digits. Default: zeros. */
  readonly id?: string;
  /** What the Sentinels of the node say. Default: nothing. */
  readonly known?: readonly SentinelView[];
  readonly access?: Access;
  /** Carries out SENTINEL FAILOVER. Default: nobody may send it. */
  readonly failOver?: (name: string) => Promise<unknown>;
  readonly over?: Partial<Omit<EndpointServerOptions, 'context'>>;
}

export interface ServingEndpoint {
  readonly server: EndpointServer;
  readonly address: Address;
  /** Why it dropped connections. */
  readonly drops: readonly string[];
  /** Gives the server other settings, as a reload does. */
  readonly reload: (over?: Serving['over']) => boolean;
}

/** An endpoint in this process that answers from a view, without Consul. It closes with the test. */
export async function serveView(t: Pick<Test, 'teardown'>, serving: Serving): Promise<ServingEndpoint> {
  const { view, id = '0'.repeat(40), known = [], access = new Access({}), failOver, over } = serving;
  const drops: string[] = [];
  const options: EndpointServerOptions = {
    listen: { host: '127.0.0.1', port: 0 },
    maxConnections: 100,
    idleMs: 600_000,
    onDrop: ({ why }) => void drops.push(why),
    ...over,
    context: {
      id: () => id,
      access,
      view: () => view,
      sentinels: () => known,
      isCurrent: () => true,
      failOver,
      facts: () => ({ ...facts, clients: server.facts }),
    },
  };
  const server = new EndpointServer(options);
  t.teardown(() => server.close());
  const { port } = await server.listen();
  const reload: ServingEndpoint['reload'] = (changed) => server.become({ ...options, ...changed });
  return { server, drops, reload, address: { host: '127.0.0.1', port } };
}

const facts: Omit<EndpointFacts, 'clients'> = {
  ...{ version: '0', id: '', port: 0, maxConnections: 100, consul: 'current', staleSince: undefined },
  process: { id: 1, executable: '', system: '', nowMs: 0, uptimeS: 0, usedUs: { user: 0, system: 0 } },
};
