import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { isReportedMaster, isSecondMaster, type SecondMaster } from '../../model/second-master.ts';
import type { RoleAnswer, SentinelView } from '../../model/sentinel.ts';
import type { FenceOutcome } from '../apply/fence.ts';
import type { FenceAction } from './plan.ts';

interface Asked {
  readonly record: MasterRecord;
  /** What the former masters and the replicas answered. */
  readonly roles: readonly RoleAnswer[];
  readonly views: readonly SentinelView[];
  /** Why the bridge does nothing to them; undefined where it may. */
  readonly whyNot: string | undefined;
  /** Whether this bridge has paused the writes of a server, and they still wait. */
  readonly isPaused: (address: Address) => boolean;
  /** The last action on each address, as `host:port`. */
  readonly outcomes: ReadonlyMap<string, FenceOutcome & { readonly action: FenceAction['kind'] }>;
}

/** The servers that are masters beside the record's, after what the bridge did about them. */
export function findSecondMasters(asked: Asked): readonly SecondMaster[] {
  return asked.roles.flatMap((answer) => {
    const { address } = answer;
    const answersAsMaster =
      answer.role === 'master' || (answer.role === 'unreachable' && isReportedMaster(address, asked.views));
    if (!answersAsMaster || !isSecondMaster(address, asked)) return [];
    const outcome = asked.outcomes.get(formatAddress(address));
    if (outcome?.kind === 'applied' && outcome.action === 'demote') return [];
    return [{ address, ...describeState(answer, asked) }];
  });
}

function describeState({ address, error }: RoleAnswer, asked: Asked): Omit<SecondMaster, 'address'> {
  const { views, whyNot, outcomes } = asked;
  const outcome = outcomes.get(formatAddress(address));
  const refused = outcome?.kind === 'failed' ? outcome.error.message : undefined;
  const why = whyNot ?? refused ?? error ?? null;
  if (asked.isPaused(address)) return { state: 'paused', why };
  const isListed = views.some(({ replicas }) => replicas.some((one) => sameAddress(one.address, address)));
  if (!isListed && views.length > 0) return { state: 'unlisted', why: whyNot ?? null };
  return { state: whyNot === undefined ? 'open' : 'left', why };
}
