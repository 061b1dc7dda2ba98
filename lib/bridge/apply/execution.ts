import type { ConsulClient } from '../../client/consul.ts';
import type { Outcome } from '../../loop/outcome.ts';
import { isIn, sameAddress } from '../../model/address.ts';
import { collisions, externalNode, type Naming, unregistrable } from '../../model/naming.ts';
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

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  async carryOut(decided: Decided): Promise<Outcome> {
    const { finding, decision } = decided;
    const writes = decision.kind === 'publish' || decision.kind === 'stands';
    const refusal = writes ? await this.#refusal(finding) : undefined;
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
        this.#fenceFormerMaster(finding.name, decision);
        if (decision.cause === 'rebase') memory.rebaseGranted();
        return writer.publish(finding, decision);
      case 'stands':
        return writer.repair(finding, decision.record);
      case 'wait': {
        const expired = decision.why === 'no-sentinel' ? await writer.expire(finding) : undefined;
        return expired ?? runAgainIn(finding.outage?.leftMs, hold(decision, memory));
      }
      case 'conflict':
        return hold(decision, memory);
      case 'ask-role':
      case 'ask-consul':
      case 'ask-all':
        return { kind: 'held', summary: 'the answers do not suffice for a decision', retryAfterMs: 0 };
    }
  }

  /** Pauses the writes of the old master, and ends a pause of the new one. */
  #fenceFormerMaster(name: string, decision: Extract<Decision, { kind: 'publish' }>): void {
    const { master, previous } = decision.draft;
    if (!isMasterChange(decision) || previous === null || sameAddress(previous, master)) return;
    // The record alone could name any Redis.
    if (!isIn(this.#options.memory(name).members, previous)) return;
    void this.#options.fencer.changeMaster(name, { from: previous, to: master });
  }

  /** Why the bridge may write nothing about this master. */
  async #refusal({ name, held, past, reading }: Finding): Promise<string | undefined> {
    const { naming, sentinels } = this.#options;
    const tooLong = unregistrable(name);
    if (tooLong !== undefined) return tooLong;
    const ownership = ownershipOf({ naming, name }, reading.catalogContents);
    if (ownership.kind === 'proven') return undefined;
    if (ownership.kind === 'foreign') return foreignNode({ naming, name }, ownership.owner);
    const colliding = collisions(sentinels.names).find((group) => group.includes(name));
    if (colliding !== undefined)
      return `DNS cannot tell these masters apart: ${colliding.join(', ')}; rename one of them`;
    const recorded = held.kind !== 'absent' || past.remembered !== undefined;
    const { value: node } = await this.#options.client.read({ kind: 'node', node: externalNode(naming, name) });
    const owner = nodeOwner({ naming, name }, { node, recorded });
    return owner === undefined ? undefined : foreignNode({ naming, name }, owner);
  }
}
