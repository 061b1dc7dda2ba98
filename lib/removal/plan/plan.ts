import { formatAddress } from '../../model/address.ts';
import type { CatalogOperation, KvEntry } from '../../model/catalog.ts';
import { parseClusterRecord } from '../../model/cluster.ts';
import { maintenanceKey } from '../../model/maintenance-keys.ts';
import {
  clusterKey,
  crashPrefix,
  masterService,
  plainKey,
  provisionedKey,
  recordKey,
  replicaService,
  steeringKey,
} from '../../model/naming.ts';
import { parseDesired } from '../../model/provisioning.ts';
import { parseRecord } from '../../model/record.ts';
import { partitionOption } from '../../model/shell-words.ts';
import { refuseFormer } from './former-environment.ts';
import { refuseCluster, refuseMaster } from './refusals.ts';
import type {
  Remaining,
  RemovableNode,
  RemovalPermissions,
  RemovalPlan,
  RemovalSnapshot,
  Removed,
} from './snapshot.ts';

/** Decides what to delete, and what prevents it. */
export function planRemoval(snapshot: RemovalSnapshot, permissions: RemovalPermissions): RemovalPlan {
  const refusals = refuse(snapshot, permissions);
  const keys = snapshot.keys.map((entry) => removedKey(snapshot, entry));
  const ours = snapshot.nodes.filter(({ owner }) => owner === 'ours');
  return {
    refusals,
    isMoved: snapshot.successor !== undefined,
    removes: [...keys, ...ours.flatMap(removedParts)],
    remains: [...snapshot.nodes.flatMap((node) => remainingParts(node, snapshot.scope)), ...remaining(snapshot)],
    steps: [
      ...snapshot.keys.map(({ key, modifyIndex: index }) => ({ kind: 'kv-delete-cas', key, index }) as const),
      ...ours.flatMap(stepsFor),
    ],
  };
}

function refuse(snapshot: RemovalSnapshot, permissions: RemovalPermissions): RemovalPlan['refusals'] {
  const { successor, subject } = snapshot;
  if (successor !== undefined) return refuseFormer(snapshot, successor);
  return subject === 'cluster' ? refuseCluster(snapshot) : refuseMaster(snapshot, permissions);
}

function removedKey({ naming, name }: RemovalSnapshot, { key, value }: KvEntry): Removed {
  const lock = `${steeringKey(naming, name)}/`;
  switch (true) {
    case key === recordKey(naming, name):
    case key === clusterKey(naming, name):
      return { what: 'record', id: key, content: describeRecord(value) };
    case key === plainKey(naming, name) || key.startsWith(`${plainKey(naming, name)}/`):
      return { what: 'key', id: key, content: value };
    case key === provisionedKey(naming, name):
    case key === maintenanceKey(naming, name):
      return { what: 'note', id: key, content: '' };
    case key.startsWith(lock):
      return { what: 'lock', id: key, content: '' };
    case key.startsWith(crashPrefix(naming)):
      return { what: 'crash', id: key, content: '' };
    default:
      return { what: 'desired', id: key, content: describeDesired(name, value) };
  }
}

function describeRecord(text: string): string {
  const record = parseRecord(text);
  if (record !== undefined) {
    const generation = record.generation === 1 ? '' : `generation ${record.generation}, `;
    return `${formatAddress(record.master)}, ${generation}epoch ${record.epoch}`;
  }
  const cluster = parseClusterRecord(text);
  return cluster === undefined ? 'not a record' : `${cluster.shards.length} shards, epoch ${cluster.epoch}`;
}

/** Without the options: some are passwords. */
function describeDesired(name: string, text: string): string {
  const desired = parseDesired(name, text);
  return desired === undefined ? 'not a master' : `${formatAddress(desired.address)}, quorum ${desired.quorum}`;
}

function isOwnService({ name }: { readonly name: string }): boolean {
  return name === masterService || name === replicaService;
}

/** Deleting a node deletes its services. One with services of somebody else stays. */
function removedParts({ node, services }: RemovableNode): readonly Removed[] {
  const own = services.filter(isOwnService);
  const parts = own.map(({ id }): Removed => ({ what: 'service', id: `${node}/${id}`, content: '' }));
  return own.length < services.length ? parts : [...parts, { what: 'node', id: node, content: '' }];
}

function stepsFor({ node, modifyIndex, services }: RemovableNode): readonly CatalogOperation[] {
  const own = services.filter(isOwnService);
  const deleted = own.map(
    ({ id, name, modifyIndex: index }) => ({ kind: 'service-delete-cas', node, serviceId: id, name, index }) as const,
  );
  return own.length < services.length ? deleted : [...deleted, { kind: 'node-delete-cas', node, index: modifyIndex }];
}

function remainingParts(
  { node, owner, services }: RemovableNode,
  scope: RemovalSnapshot['scope'],
): readonly Remaining[] {
  const command = ['consul catalog nodes', ...partitionOption(scope), '-detailed'].join(' ');
  if (owner === 'other')
    return [{ id: `node ${node}`, why: `its meta does not name this master: ${command} shows its owner` }];
  return services
    .filter((service) => !isOwnService(service))
    .map(({ id }) => ({ id: `service ${node}/${id}`, why: 'no bridge registered it, so its node stays too' }));
}

function remaining({ name, subject, registered, mentions, hidden, recorded }: RemovalSnapshot): readonly Remaining[] {
  const isLast = subject === 'master' && recorded.length === 1 && recorded[0] === name;
  return [
    ...registered.map(({ node, id }) => ({
      id: `service ${node}/${id}`,
      why: `the agent of ${node} has it: if \`register\` names ${name} in the config there, remove it`,
    })),
    ...mentions.map((place) => ({ id: place, why: "this node's config names it there: remove it" })),
    ...hidden.map((why) => ({ id: 'not read', why })),
    ...(isLast
      ? [
          {
            id: 'rendered files',
            why: 'no other master has a record: files that name masters are held until you approve them',
          },
        ]
      : []),
  ];
}
