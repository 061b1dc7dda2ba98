import type { CatalogOperation } from '../model/catalog.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import { scopeFields } from './consul-scope.ts';

/** Consul's limit on the steps of one transaction: 64 up to 1.13, 128 from 1.14 (hashicorp/consul 14599). */
export const maxTransactionSteps = 64;

/** A step as PUT /v1/txn takes it (Consul 1.8, "HTTP API: Transactions"). Values of keys are base64. */
export function toTxnStep(operation: CatalogOperation, scope?: ConsulScope): object {
  const within = scopeFields(scope, 'other');
  const nodeWithin = scopeFields(scope, 'node');
  switch (operation.kind) {
    case 'kv-set':
      return { KV: { Verb: 'set', Key: operation.key, Value: base64(operation.value), ...within } };
    case 'kv-cas':
      return {
        KV: { Verb: 'cas', Key: operation.key, Value: base64(operation.value), Index: operation.index, ...within },
      };
    case 'kv-lock':
      return {
        KV: { Verb: 'lock', Key: operation.key, Value: base64(operation.value), Session: operation.session, ...within },
      };
    case 'kv-check-index':
      return { KV: { Verb: 'check-index', Key: operation.key, Index: operation.index, ...within } };
    case 'kv-delete':
      return { KV: { Verb: 'delete', Key: operation.key, ...within } };
    case 'kv-delete-cas':
      return { KV: { Verb: 'delete-cas', Key: operation.key, Index: operation.index, ...within } };
    case 'node-set':
      return { Node: { Verb: 'set', Node: { ...toNode(operation), ...nodeWithin } } };
    case 'node-delete':
      return { Node: { Verb: 'delete', Node: { Node: operation.node, ...nodeWithin } } };
    case 'node-delete-cas':
      return {
        Node: { Verb: 'delete-cas', Node: { Node: operation.node, ModifyIndex: operation.index, ...nodeWithin } },
      };
    case 'service-set':
      return {
        Service: { Verb: 'set', Node: operation.node, Service: { ...toService(operation.service), ...within } },
      };
    case 'service-delete':
      return { Service: { Verb: 'delete', Node: operation.node, Service: { ...toServiceId(operation), ...within } } };
    case 'service-delete-cas': {
      const service = { ...toServiceId(operation), ModifyIndex: operation.index, ...within };
      return { Service: { Verb: 'delete-cas', Node: operation.node, Service: service } };
    }
    case 'check-set':
      return { Check: { Verb: 'set', Check: { Node: operation.node, ...toCheck(operation.check), ...within } } };
    case 'check-delete':
      return { Check: { Verb: 'delete', Check: { Node: operation.node, CheckID: operation.checkId, ...within } } };
  }
}

type Of<K extends CatalogOperation['kind']> = Extract<CatalogOperation, { readonly kind: K }>;

function toNode({ node, address, taggedAddresses, meta }: Of<'node-set'>): object {
  return { Node: node, Address: address, TaggedAddresses: taggedAddresses, Meta: meta };
}

function toServiceId({ serviceId, name }: Of<'service-delete' | 'service-delete-cas'>): object {
  return { ID: serviceId, Service: name };
}

function toService(service: Of<'service-set'>['service']): object {
  // Consul's transactions leave out a service's TaggedAddresses (agent/txn_endpoint.go).
  const { id, name, address, port, tags, meta, weights, enableTagOverride } = service;
  return {
    ...{ ID: id, Service: name, Address: address, Port: port, Tags: tags, Meta: meta },
    ...(weights === undefined ? {} : { Weights: { Passing: weights.passing, Warning: weights.warning } }),
    ...(enableTagOverride === true ? { EnableTagOverride: true } : {}),
  };
}

function toCheck({ id, serviceId, serviceName, name, status, output, notes = '' }: Of<'check-set'>['check']): object {
  return {
    CheckID: id,
    ServiceID: serviceId,
    ServiceName: serviceName,
    Name: name,
    Status: status,
    Output: output,
    Notes: notes,
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
