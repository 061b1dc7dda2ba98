import type { ConsulClient } from '../../client/consul.ts';
import type { Outcome } from '../../loop/outcome.ts';
import { type Address, isIn, sameAddress } from '../../model/address.ts';
import { distinctNode, isOfOtherEnvironment } from '../../model/master-node.ts';
import { NameCollisions } from '../../model/name-collisions.ts';
import { externalNode, type Naming, unregistrable } from '../../model/naming.ts';
import type { Decided } from '../decider.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { Finding } from '../finding.ts';
import type { MasterMemory } from '../memory.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import { type Decision, isMasterChange } from '../plan/decision.ts';
import { describeUnlisted } from '../plan/membership.ts';
import { foreignNode, nodeOwner, ownershipOf } from '../plan/node-ownership.ts';
import { hold, runAgainIn, withEvidence } from './outcomes.ts';
import type { RecordWriter } from './writer.ts';

export interface ExecutionOptions {
  readonly client: Pick<ConsulClient, 'read'>;
  readonly sentinels: SentinelSource;
  readonly fencer: Fencer;
  readonly writer: RecordWriter;
  readonly naming: Naming;
  readonly memory: (name: string) => MasterMemory;
}

/** Carries out what was decided about one master. */
export class Execution {
  readonly #options: ExecutionOptions;
  readonly #collisions = new NameCollisions();

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  async carryOut(found: Decided): Promise<Outcome> {
    const { decision } = found;
    const writes = decision.kind === 'publish' || decision.kind === 'stands';
    const { finding, refusal } = writes ? await this.#place(found.finding) : { finding: found.finding };
    const decided = { ...found, finding };
    const waitsFor = 'summary' in decision ? decision.summary : describeUnlisted(decided.situation);
    this.#options.memory(finding.name).foundProblem({ refusal, problem: waitsFor ?? finding.unmonitored });
    const outcome = refusal === undefined ? await this.#apply(decided) : ({ kind: 'held', summary: refusal } as const);
    return withEvidence(outcome, decided);
  }

  async #apply({ finding, decision }: Decided): Promise<Outcome> {
    const { writer } = this.#options;
    const memory = this.#options.memory(finding.name);
    switch (decision.kind) {
      case 'publish':
        if (decision.cause === 'rebase') memory.rebaseGranted();
        return this.#publish(finding, decision);
      case 'stands':
        return writer.repair(finding, decision.record);
      case 'wait': {
        const waiting = runAgainIn(finding.outage?.leftMs, hold(decision, memory));
        return decision.why === 'no-sentinel' ? await writer.expire(finding, waiting) : waiting;
      }
      case 'conflict':
        return hold(decision, memory);
      case 'ask-role':
      case 'ask-consul':
      case 'ask-all':
        return { kind: 'held', summary: 'the answers do not suffice for a decision', retryAfterMs: 0 };
    }
  }

  /**
   * Meanwhile the old master pauses its writes, and a pause of the new one ends. Then the old one's clients are disconnected:
   * not before they can find the new master in Consul.
   */
  async #publish(finding: Finding, decision: Extract<Decision, { kind: 'publish' }>): Promise<Outcome> {
    const { name } = finding;
    const { writer, fencer } = this.#options;
    const change = this.#changeOfMaster(finding, decision);
    const fenced = change === undefined ? undefined : fencer.changeMaster(name, change);
    const outcome = await writer.publish(finding, decision);
    if (change !== undefined && outcome.kind === 'applied')
      void fenced?.then(() => fencer.disconnectClients(name, change));
    return outcome;
  }

  /** A new generation may have the master of the old one: its replicas, one of them the former master, stay untouched. */
  #changeOfMaster(
    { name, held }: Finding,
    decision: Extract<Decision, { kind: 'publish' }>,
  ): { readonly from: Address; readonly to: Address } | undefined {
    const { master, previous } = decision.draft;
    if (!isMasterChange(decision) || previous === null || sameAddress(previous, master)) return undefined;
    if (held.kind === 'present' && sameAddress(held.record.master, master)) return undefined;
    // The record alone could name any Redis.
    return isIn(this.#options.memory(name).members, previous) ? { from: previous, to: master } : undefined;
  }

  /** The finding with the node that the bridge may write, or why it may write nothing about this master. */
  async #place(finding: Finding): Promise<{ readonly finding: Finding; readonly refusal?: string | undefined }> {
    const { name, reading } = finding;
    const { naming, sentinels } = this.#options;
    const tooLong = unregistrable(name);
    if (tooLong !== undefined) return { finding, refusal: tooLong };
    const { node = externalNode(naming, name) } = reading.catalogContents;
    const ownership = ownershipOf({ naming, name }, reading.catalogContents);
    if (ownership.kind === 'proven') return { finding };
    if (ownership.kind === 'foreign') return { finding, refusal: foreignNode(node, ownership.owner) };
    const colliding = this.#collisions.groupOf(name, sentinels.names);
    if (colliding !== undefined)
      return { finding, refusal: `DNS cannot distinguish these masters: ${colliding.join(', ')}; rename one of them` };
    return this.#placeOn(node, finding);
  }

  /** Reads a node without instances. Where it is another environment's, the master gets its distinct node. */
  async #placeOn(
    node: string,
    finding: Finding,
  ): Promise<{ readonly finding: Finding; readonly refusal?: string | undefined }> {
    const { name, held, past, reading } = finding;
    const { naming, client } = this.#options;
    const { value } = await client.read({ kind: 'node', node });
    const distinct = distinctNode(naming, name);
    if (value !== undefined && node !== distinct && isOfOtherEnvironment(naming, value.meta))
      return this.#placeOn(distinct, {
        ...finding,
        reading: { ...reading, catalogContents: { ...reading.catalogContents, node: distinct, instances: [] } },
      });
    const recorded = held.kind !== 'absent' || past.remembered !== undefined;
    const owner = nodeOwner({ naming, name }, { node: value, recorded });
    return { finding, refusal: owner === undefined ? undefined : foreignNode(node, owner) };
  }
}
