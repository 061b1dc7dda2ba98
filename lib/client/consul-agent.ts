import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { type CheckStatus, checkStatuses } from '../model/catalog.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { CheckDefinition, HeldService, Registration, ServiceSettings } from '../model/instance.ts';
import type { ConsulClient } from './consul.ts';

/*
 * The services of the local agent ("HTTP API: Agent", Consul 1.8 and later). The agent itself keeps them in the catalog,
 * also when it or the daemon restarts.
 */

/**
 * A check keeps its last reported state until the next report, whether the daemon runs or not: the state of Redis does not
 * depend on the daemon. Consul has no such check, but a TTL check that never expires behaves like one. The agent keeps the
 * state on disk for as long as the TTL (agent.go, persistCheckState).
 */
const neverExpires = '87600h';

const timeoutMs = 3_000;

export class ConsulAgentClient {
  readonly #client: ConsulClient;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  get scope(): ConsulScope | undefined {
    return this.#client.scope;
  }

  /** Every service of this agent, with its checks; sorted by id. */
  async services(): Promise<readonly HeldService[]> {
    const [services, checks] = await Promise.all([
      this.#client.send({ method: 'get', path: '/agent/services', what: 'the services of this agent' }, { timeoutMs }),
      this.#client.send({ method: 'get', path: '/agent/checks', what: 'the checks of this agent' }, { timeoutMs }),
    ]);
    const held = read(checkMap, checks, 'the checks of this agent');
    return Object.values(read(serviceMap, services, 'the services of this agent'))
      .map((service) => ({
        id: service.ID,
        service: service.Service,
        address: service.Address,
        port: service.Port,
        tags: service.Tags,
        meta: service.Meta,
        settings: readSettings(service),
        scope: { namespace: service.Namespace, partition: service.Partition },
        checks: Object.values(held)
          .filter(({ ServiceID }) => ServiceID === service.ID)
          .map(({ CheckID, Status, Output }) => ({ id: CheckID, status: Status, output: Output })),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Registers or updates a service. Existing checks keep their state. Checks that are not listed stay: an operator's
   * maintenance mode is one, and others may belong to another tool. Consul replaces everything else that the service had.
   */
  async register(registration: Registration): Promise<void> {
    const { id, service, address, port, tags, meta, checks, settings } = registration;
    await this.#client.send(
      {
        method: 'put',
        path: '/agent/service/register',
        body: {
          ID: id,
          Name: service,
          Address: address,
          Port: port,
          Tags: tags,
          Meta: meta,
          ...(settings === undefined ? {} : writeSettings(settings)),
          Checks: checks.map(toCheck),
        },
        what: `the registration of ${id}`,
      },
      { timeoutMs },
    );
  }

  /** Sets the state of a check of kind `report`. */
  async report(checkId: string, says: { readonly status: CheckStatus; readonly output: string }): Promise<void> {
    await this.#client.send(
      {
        method: 'put',
        path: '/agent/check/update/{id}',
        params: { id: checkId },
        body: { Status: says.status, Output: says.output },
        what: `the check ${checkId}`,
      },
      { timeoutMs },
    );
  }

  async deregister(id: string): Promise<void> {
    const path = '/agent/service/deregister/{id}';
    await this.#client.send({ method: 'put', path, params: { id }, what: `the service ${id}` }, { timeoutMs });
  }
}

function readSettings({ Address, Port, ...service }: HeldAnswer): ServiceSettings {
  const { EnableTagOverride, Weights, TaggedAddresses, Connect } = service;
  const set = Object.entries(TaggedAddresses ?? {}).filter(([, one]) => one.Address !== Address || one.Port !== Port);
  return {
    tagsFrom: EnableTagOverride === true ? 'catalog' : 'agent',
    weights:
      Weights === null || Weights === undefined ? undefined : { passing: Weights.Passing, warning: Weights.Warning },
    taggedAddresses: Object.fromEntries(set.map(([name, one]) => [name, { address: one.Address, port: one.Port }])),
    connect: Connect ?? undefined,
  };
}

function writeSettings({ tagsFrom, weights, taggedAddresses, connect }: ServiceSettings): object {
  const addresses = Object.entries(taggedAddresses).map(([name, { address, port }]) => [
    name,
    { Address: address, Port: port },
  ]);
  return {
    EnableTagOverride: tagsFrom === 'catalog',
    TaggedAddresses: Object.fromEntries(addresses),
    ...(weights === undefined ? {} : { Weights: { Passing: weights.passing, Warning: weights.warning } }),
    ...(connect === undefined ? {} : { Connect: connect }),
  };
}

function toCheck(check: CheckDefinition): object {
  const common = {
    CheckID: check.id,
    Name: check.name,
    Status: check.status,
    ...(check.deregisterAfterMs === undefined
      ? {}
      : { DeregisterCriticalServiceAfter: `${check.deregisterAfterMs}ms` }),
  };
  switch (check.kind) {
    case 'report':
      return { ...common, TTL: neverExpires };
    case 'tcp':
      return { ...common, TCP: check.target, Interval: `${check.intervalMs}ms`, Timeout: `${check.timeoutMs}ms` };
    case 'http':
      return { ...common, HTTP: check.target, Interval: `${check.intervalMs}ms`, Timeout: `${check.timeoutMs}ms` };
  }
}

const heldAnswer = z.object({
  ID: z.string(),
  Service: z.string(),
  Address: z.string(),
  Port: z.number().default(0),
  Tags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
  Meta: z
    .record(z.string(), z.string())
    .nullish()
    .transform((meta) => meta ?? {}),
  EnableTagOverride: z.boolean().nullish(),
  Weights: z.object({ Passing: z.number(), Warning: z.number() }).nullish(),
  TaggedAddresses: z.record(z.string(), z.object({ Address: z.string(), Port: z.number().default(0) })).nullish(),
  Connect: z.unknown().optional(),
  Namespace: z.string().optional(),
  Partition: z.string().optional(),
});
type HeldAnswer = z.output<typeof heldAnswer>;
const serviceMap = z.record(z.string(), heldAnswer);
const checkMap = z.record(
  z.string(),
  z.object({
    CheckID: z.string(),
    ServiceID: z.string(),
    Status: z.enum(checkStatuses).catch('critical'),
    Output: z.string(),
  }),
);

function read<S extends z.ZodType>(shape: S, json: unknown, what: string): z.output<S> {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new SwitchmasterError('consul-answer-invalid', `Consul's answer about ${what} is not of the documented shape`, {
    cause: parsed.error,
  });
}
