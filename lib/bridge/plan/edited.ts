import { sameAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type Decision, type Draft, isMasterChange, keep, newestKnown, type Situation } from './decision.ts';
import { newestPromotion } from './promotion.ts';
import { hasMajority } from './vote.ts';

/*
 * A record that no bridge wrote: somebody edited it, to a newer version than the last one of a bridge. The next record must
 * have a newer version, because others may have read the edit. The bridge ignores the content of the edit. It decides on
 * the last record that it trusts, as if nobody had edited it, so that an edit delays no failover.
 */

/** A record without a bridge's evidence, and the last one with it. */
interface Edit {
  readonly edited: MasterRecord;
  readonly trusted: MasterRecord;
}

/** The decision where the newest record may be none of a bridge's; undefined where it counts as one. */
export function decideOnEdited(situation: Situation, decide: (situation: Situation) => Decision): Decision | undefined {
  const edit = findEdit(situation);
  if (edit === undefined) return undefined;
  if (situation.edit === 'suspected') return { kind: 'ask-consul' };
  const { edited, trusted } = edit;
  const before = { kind: 'present', record: trusted, modifyIndex: 0 } as const;
  const decision = decide({ ...situation, held: before, remembered: trusted, edit: undefined });
  if (decision.kind === 'stands' || (decision.kind === 'wait' && decision.why === 'unconfirmed'))
    return restore(situation, edit);
  if (decision.kind !== 'publish' || compareVersions(decision.draft, edited) > 0) return decision;
  const { kept: _, ...draft } = decision.draft;
  return raiseAbove(edit, {
    ...draft,
    reason: isMasterChange(decision) ? `${draft.reason}, and ${why}` : `rebase: ${why}`,
  });
}

const why = 'the record was edited by hand';

function findEdit(situation: Situation): Edit | undefined {
  const { trusted, edit } = situation;
  const edited = newestKnown(situation);
  if (trusted === undefined || edited === undefined || edit === undefined || edit === 'unproven') return undefined;
  return compareVersions(edited, trusted) > 0 ? { edited, trusted } : undefined;
}

/**
 * Whether a Sentinel names the master of the newest record at its epoch, or promotes it. Then a bridge may have written it,
 * whatever the plain key and the service say.
 */
export function isNamedBySentinel(situation: Situation): boolean {
  const record = newestKnown(situation);
  if (record === undefined) return false;
  const { views } = situation;
  const { master, epoch } = record;
  const promotion = newestPromotion(views, { ...record, epoch: epoch - 1 });
  if (promotion?.epoch === epoch && sameAddress(promotion.selected, master)) return true;
  return views.some(
    (view) => view.condition !== 'failover' && view.configEpoch === epoch && sameAddress(view.master, master),
  );
}

/** The last record of a bridge again: a promotion that is under way, or what a majority of the Sentinels still names. */
function restore(situation: Situation, edit: Edit): Decision {
  const { kept: _, ...draft } = keep(edit.trusted);
  const { master, epoch: configEpoch, phase } = draft;
  const views = situation.views.filter(({ condition }) => condition !== 'failover');
  if (phase === 'confirmed' && !hasMajority({ master, configEpoch }, { ...situation, views })) {
    return { kind: 'wait', why: 'no-majority', summary: `${why}, and no majority of the Sentinels can be asked` };
  }
  return raiseAbove(edit, { ...draft, reason: `rebase: ${why}` });
}

/** A new generation, where the edit names another master or epoch; otherwise the edit has the right version already. */
function raiseAbove({ edited }: Edit, draft: Draft): Decision {
  const isSame = draft.epoch === edited.epoch && sameAddress(draft.master, edited.master);
  const generation = isSame ? edited.generation : edited.generation + 1;
  return { kind: 'publish', cause: 'rebase', draft: { ...draft, generation } };
}
