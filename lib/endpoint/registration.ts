import type { ConsulClient } from '../client/consul.ts';
import { ConsulAgentClient } from '../client/consul-agent.ts';
import { Loop } from '../loop/loop.ts';
import type { Outcome, RunReport } from '../loop/outcome.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { Registration } from '../model/instance.ts';
import { endpointService, type Naming } from '../model/naming.ts';
import type { EndpointMeta } from './plan/view.ts';

export interface EndpointRegistrationOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly meta: EndpointMeta;
  /** Where clients of other nodes reach the endpoint. */
  readonly address: Address;
  /** Where the agent connects to for its check. */
  readonly listen: Address;
  readonly onReport: (report: RunReport) => void;
}

const checkIntervalMs = 5_000;
const checkTimeoutMs = 2_000;
/** An agent that started again without its data gets the service back after this time. */
const resyncMs = 10_000;
const graceMs = 2_000;

/** Keeps the endpoint registered in the local agent, with a check that connects to it. */
export class EndpointRegistration {
  readonly #agent: ConsulAgentClient;
  readonly #registration: Registration;
  readonly #loop: Loop;

  constructor(options: EndpointRegistrationOptions) {
    this.#agent = new ConsulAgentClient(options.client);
    this.#registration = draftRegistration(options);
    this.#loop = new Loop({
      reconciler: { name: 'endpoint', reconcile: () => this.#reconcile() },
      resyncMs,
      backoff: { initialMs: 250, maxMs: 5_000 },
      onReport: options.onReport,
    });
  }

  start(): void {
    this.#loop.wake(this.#registration.id, { source: 'daemon', event: 'start' });
  }

  /** Removes the service from the agent, unless another endpoint takes over at once. */
  async stop(cause: 'end' | 'reload' | undefined): Promise<void> {
    await this.#loop.stop({ graceMs });
    if (cause === 'reload') return;
    // An agent that is down now has the check, which becomes critical.
    await this.#agent.deregister(this.#registration.id).catch(() => undefined);
  }

  async #reconcile(): Promise<Outcome> {
    const { id, address, port } = this.#registration;
    const held = (await this.#agent.services()).find((service) => service.id === id);
    const wanted = Object.entries(this.#registration.meta);
    const hasMeta = wanted.every(([key, value]) => held?.meta[key] === value);
    if (held?.address === address && held.port === port && hasMeta) return { kind: 'unchanged' };
    const meta = { ...held?.meta, ...this.#registration.meta };
    await this.#agent.register({ ...this.#registration, meta, settings: held?.settings });
    return { kind: 'applied', summary: `registered ${id}` };
  }
}

function draftRegistration({ naming, meta, address, listen }: EndpointRegistrationOptions): Registration {
  const service = endpointService;
  const serviceId = `${service}-${formatAddress(address)}`;
  return {
    id: serviceId,
    service,
    address: address.host,
    port: address.port,
    tags: naming.environment === undefined ? [] : [naming.environment],
    meta: { ...meta },
    checks: [
      {
        id: `${serviceId}:tcp`,
        name: 'TCP',
        kind: 'tcp',
        target: formatAddress(listen),
        intervalMs: checkIntervalMs,
        timeoutMs: checkTimeoutMs,
        status: 'passing',
        output: '',
      },
    ],
    settings: undefined,
  };
}
