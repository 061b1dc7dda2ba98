import type { GuardSpec } from '../../model/template-spec.ts';
import type { GoodRendering, RenderMemory } from './rendering.ts';

/** Why a rendering is held. `reason` is a sentence. `lost` lists the servers that the rendering no longer has. */
export interface GuardFinding {
  readonly guard: 'min-servers' | 'max-loss' | 'fallen-catalog' | 'emptied' | 'foreign-file';
  readonly reason: string;
  readonly lost: readonly string[];
}

/**
 * Whether a rendering lost so many servers that the catalog may be incomplete. A Consul that restarts without its state
 * answers with an empty catalog and success (consul-template 1713, hashicorp/consul 16539).
 *
 * Servers are identified by name, not by address, so a change of master alone is never held.
 */
export function guardRendering(snapshot: {
  readonly rendering: GoodRendering;
  readonly memory: RenderMemory;
  readonly guard: GuardSpec;
  readonly catalog: 'steady' | 'fallen';
}): GuardFinding | undefined {
  const { rendering, guard } = snapshot;
  const before = snapshot.memory.proven?.members ?? [];
  const lost = findLost(before, rendering.members);
  const count = rendering.members.length;
  const minServers = guard.minServers ?? (rendering.records === 'read' ? 1 : 0);
  if (count < minServers) {
    const none = rendering.records === 'read' && count === 0;
    const reason = none
      ? 'Consul holds no record of any master.'
      : `It would have ${count} of at least ${minServers} servers.`;
    return { guard: 'min-servers', reason, lost };
  }
  if (lost.length > 0 && snapshot.catalog === 'fallen') {
    const reason = `Consul lost its state, and ${describeLoss(lost, before)} since.`;
    return { guard: 'fallen-catalog', reason, lost };
  }
  const follows = guard.onEmpty === 'follow' || guard.minServers === 0;
  const emptied = follows ? [] : findEmptied(snapshot);
  if (emptied.length > 0) {
    const reason = `Consul has nothing any more for ${emptied.slice(0, 5).join(', ')}. ${emptiedHint}`;
    return { guard: 'emptied', reason, lost };
  }
  if (lost.length > 0 && lost.length / before.length > guard.maxLoss) {
    const reason = `${describeLoss(lost, before)} at once, more than maxLoss ${guard.maxLoss} allows.`;
    return { guard: 'max-loss', reason, lost };
  }
  return undefined;
}

/** Both lists may have ten thousand members, and are usually the same object. */
function findLost(before: readonly string[], members: readonly string[]): readonly string[] {
  if (before === members) return [];
  const now = new Set(members);
  return before.filter((member) => !now.has(member));
}

const emptiedHint = 'If that is right, approve the text, or set guard.onEmpty to follow.';

/** Lists that had something when the last text took effect. */
function findEmptied({ rendering, memory }: { rendering: GoodRendering; memory: RenderMemory }): readonly string[] {
  if (rendering.lists.empty.length === 0) return [];
  const filled = new Set(memory.proven?.filled);
  return rendering.lists.empty.filter((id) => filled.has(id));
}

function describeLoss(lost: readonly string[], before: readonly string[]): string {
  const shown = lost.slice(0, 5).join(', ');
  const more = lost.length > 5 ? ` and ${lost.length - 5} more` : '';
  return `${lost.length} of ${before.length} servers vanished (${shown}${more})`;
}
