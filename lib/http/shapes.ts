import * as z from 'zod';
import { checkStatuses } from '../model/catalog.ts';
import { instanceKindNames } from '../model/instance-kinds.ts';
import { masterCheckCodes } from '../model/master-check.ts';
import { problemKinds } from '../model/problem.ts';
import { secondMasterStates } from '../model/second-master.ts';
import { unorderedCrashShape } from './crash-shapes.ts';
import { maintenanceShape } from './maintenance-shapes.ts';
import { addressShape, instant, isolationShape, sentinelStateShape, voteShape } from './sentinel-shapes.ts';

/*
 * What the API answers with: one definition for the types that views are held to, for the OpenAPI document, and for the
 * tests. Unknown values are null, never undefined.
 */
const recordShape = z.object({
  version: z.literal(1),
  name: z.string(),
  generation: z.int(),
  epoch: z.int(),
  phase: z.enum(['promoted', 'confirmed']),
  master: addressShape,
  replicas: z.array(addressShape).readonly(),
  previous: addressShape.nullable(),
  reason: z.string(),
  changedAt: instant,
  changedBy: z.string(),
});

/** How far a replica is behind its master (lib/bridge/plan/lag.ts). */
export const lagShape = z.object({
  bytes: z.int().nullable().meta({ description: 'Of the replication stream.' }),
  behindMs: z
    .int()
    .nullable()
    .meta({ description: 'It has everything that its master had this many milliseconds ago.' }),
});

const checkShape = z.object({ status: z.enum(checkStatuses), output: z.string() });

const errorShape = z.looseObject({ code: z.string(), message: z.string() });

export const outcomeShape = z.object({
  kind: z.enum(['applied', 'unchanged', 'fenced', 'held', 'failed']),
  summary: z.string(),
  at: instant,
  reconcileId: z.string(),
  durationMs: z.number(),
  failures: z.int(),
  error: errorShape.nullable(),
});

/** Something that is wrong with a master and that somebody should see to (lib/model/judgement/problems.ts). */
const problemShape = z.object({ kind: z.enum(problemKinds), message: z.string(), hint: z.string().optional() });

const secondMasterShape = z.object({
  address: addressShape,
  state: z.enum(secondMasterStates),
  why: z.string().nullable().meta({ description: 'Why it is not fenced, if that is known.' }),
  since: instant.nullable(),
});

export const masterShape = z.object({
  name: z.string(),
  record: recordShape.nullable(),
  modifyIndex: z.int().nullable(),
  sentinels: z.array(voteShape).readonly(),
  check: checkShape.extend({ code: z.enum(masterCheckCodes).optional() }).nullable(),
  problems: z.array(problemShape).readonly(),
  secondMasters: z
    .array(secondMasterShape)
    .readonly()
    .meta({ description: 'Servers of this master that answer as a master beside the one of the record.' }),
  maintenance: maintenanceShape
    .nullable()
    .meta({ description: 'Its own, or that of all masters; null: it is in none.' }),
  crash: unorderedCrashShape
    .nullable()
    .meta({ description: 'Its process is gone, and this node has ordered no failover; null: neither.' }),
  isolation: isolationShape.nullable().meta({ description: 'null: this node pauses no Redis of this master.' }),
  replicas: z.array(z.object({ address: addressShape, lag: lagShape.nullable() })).readonly(),
});

export const templateShape = z.object({
  name: z.string(),
  source: z.string(),
  destination: z.string(),
  state: z.string(),
  held: z.string().nullable().meta({ description: 'The digest of the text that a guard holds now; approve takes it.' }),
  missing: z.array(z.string()).readonly().meta({ description: 'What it reads and Consul has not answered yet.' }),
  dependencies: z.array(z.string()).readonly(),
  warnings: z
    .array(z.string())
    .readonly()
    .meta({ description: 'What it leaves out, or which additional step failed.' }),
  access: z.enum(['open', 'token']).meta({
    description: 'token: other users may not read its file, so its text needs the token.',
  }),
  renderedAt: instant.nullable(),
  writtenAt: instant.nullable(),
  stages: z
    .record(z.string(), z.number())
    .meta({ description: 'When the last run reached each stage: milliseconds since 1970.' }),
});

const entryKind = z.enum(['applied', 'fenced', 'held', 'failed']);

/** One line of the journal (lib/telemetry/journal.ts). */
export const entryShape = z.object({
  id: z.int(),
  firstId: z.int().meta({ description: 'The id that it had before its count doubled: equal ids are one entry.' }),
  at: instant,
  firstAt: instant,
  count: z.int().meta({ description: 'How often this happened in a row: from firstAt to at.' }),
  loop: z.string(),
  key: z.string(),
  reconcileId: z.string(),
  kind: entryKind,
  summary: z.string(),
  hints: z.array(z.object({ source: z.string(), event: z.string(), agoMs: z.number() })).readonly(),
  details: z.record(z.string(), z.unknown()),
  error: errorShape.nullable(),
  durationMs: z.number(),
  failures: z.int(),
});

const slotRange = z.object({ from: z.int(), to: z.int() }).meta({ description: 'Inclusive.' });

/** A Redis Cluster with what Consul holds of it. */
export const clusterShape = z.object({
  name: z.string(),
  record: z
    .object({
      version: z.literal(1),
      name: z.string(),
      epoch: z.int(),
      state: z.enum(['ok', 'fail']),
      uncovered: z.array(slotRange).readonly(),
      shards: z
        .array(
          z.object({
            slots: z.array(slotRange).readonly(),
            master: addressShape.nullable(),
            replicas: z.array(addressShape).readonly(),
          }),
        )
        .readonly(),
      changedAt: instant,
      changedBy: z.string(),
    })
    .nullable(),
  problem: z.string().nullable(),
  nodes: z.array(addressShape).readonly().meta({ description: 'The nodes that this node may ask.' }),
  unwell: z
    .array(z.object({ address: addressShape, health: z.enum(['fail', 'loading']) }))
    .readonly()
    .meta({ description: 'Nodes that do not serve, as most of the nodes see them.' }),
  crashes: z
    .array(unorderedCrashShape)
    .readonly()
    .meta({ description: 'Masters whose process is gone, and whose failover this node has not ordered.' }),
  maintenance: maintenanceShape
    .nullable()
    .meta({ description: 'Its own, or that of everything; null: it is in none.' }),
});

/** One process of this node. */
export const instanceShape = z.object({
  id: z.string(),
  kind: z.enum(instanceKindNames),
  name: z.string().nullable().meta({ description: "The master's or the cluster's name." }),
  address: addressShape.nullable().meta({ description: 'null where this node connects to a socket.' }),
  socket: z.string().nullable().meta({ description: 'The path of the unix domain socket.' }),
  role: z.enum(['master', 'replica', 'unknown']).meta({ description: 'By the record.' }),
  version: z.string().nullable(),
  check: checkShape.nullable(),
  seenAt: instant.nullable(),
});

/** A Sentinel with what it says of each master. */
const sentinelShape = sentinelStateShape.extend({
  masters: z.array(z.object({ name: z.string(), vote: voteShape })).readonly(),
});

export const errorAnswer = z.object({ error: errorShape });
export const masterAnswer = masterShape.extend({ lastOutcome: outcomeShape.nullable() });
export const mastersAnswer = z.object({ masters: z.array(masterAnswer) });
/** A master that `desired/` names, with the result of configuring it in the Sentinels. */
export const desiredAnswer = z.object({
  desired: z.array(z.object({ name: z.string(), lastOutcome: outcomeShape.nullable() })),
});
export const templateAnswer = templateShape.extend({
  lastOutcome: outcomeShape.nullable(),
  configures: z.enum(instanceKindNames).nullable().meta({ description: 'Whose config it renders, by file names.' }),
});
export const templatesAnswer = z.object({ templates: z.array(templateAnswer) });
export const templateTextAnswer = templateAnswer.extend({
  rendered: z.string().nullable(),
  present: z.string().nullable().meta({ description: 'The text of the destination, if it differs.' }),
});
export const clusterAnswer = clusterShape.extend({ lastOutcome: outcomeShape.nullable() });
export const clustersAnswer = z.object({ clusters: z.array(clusterAnswer) });
export const clusterCheckAnswer = z.object({ name: z.string(), epoch: z.int() });
export const instanceAnswer = instanceShape.extend({
  type: z.enum(['redis', 'sentinel', 'proxy']).meta({ description: 'What kinds of instances have in common.' }),
});
export const instancesAnswer = z.object({ instances: z.array(instanceAnswer).readonly() });
export const sentinelsAnswer = z.object({ sentinels: z.array(sentinelShape) });
export const historyAnswer = z.object({ entries: z.array(entryShape).readonly() });
export const whyAnswer = z.object({
  name: z.string(),
  record: recordShape.nullable(),
  cluster: clusterShape.shape.record.meta({ description: 'The record, if it is a Redis Cluster.' }),
  maintenance: maintenanceShape.nullable(),
  failovers: z
    .array(
      z.object({
        id: z.int(),
        at: instant,
        from: z.string().nullable(),
        to: z.string(),
        generation: z.int(),
        epoch: z.int(),
        lines: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .meta({ description: 'Each change of master in five lines, newest last.' }),
  others: z
    .array(z.object({ summary: z.string(), kind: entryKind, count: z.int(), at: instant }))
    .readonly()
    .meta({ description: 'What happened beside that, newest first: the same thing once, with its count.' }),
  story: z.array(z.object({ id: z.int(), sentences: z.array(z.string()).readonly() })),
  entries: z.array(entryShape).readonly(),
});
export const roleAnswer = z.object({
  name: z.string(),
  role: z.enum(['master', 'replica']),
  address: addressShape,
  generation: z.int(),
  epoch: z.int(),
  lag: lagShape.nullable().meta({ description: 'Of a replica, if the request has maxLag.' }),
});
export const templateCheckAnswer = z.object({ name: z.string(), state: z.string() });
export const rebasedAnswer = z.object({ name: z.string(), record: recordShape });
/** The order is accepted. The journal has its outcome. */
export const acceptedAnswer = z.object({ accepted: z.literal(true) });
