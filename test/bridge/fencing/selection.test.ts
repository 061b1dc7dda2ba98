import t from 'tap';
import { masterToPause } from '../../../lib/bridge/fencing/selection.ts';
import type { Selection } from '../../../lib/bridge/observe/election.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { at, record } from '../plan/world.ts';

const rows: readonly (readonly [string, Partial<Selection>, 'A' | undefined, (MasterRecord | undefined)?])[] = [
  ['a replica of the record’s master was selected', {}, 'A'],
  ['there is no record', {}, undefined, undefined],
  ['the failover is older than the record', { epoch: 5 }, undefined],
  ['the Sentinel replaces another master', { replaced: at('B') }, undefined],
  ['no Sentinel has listed the selected address', { selected: at('D') }, undefined],
  ['the master itself hands over', { isCoordinated: true }, undefined],
  ['the selected address is the record’s master', { selected: at('A') }, undefined],
];
for (const [when, changes, expected, ...given] of rows) {
  t.test(`whose writes wait at the selection of a replica: ${when}`, async (t) => {
    const selection = { epoch: 6, selected: at('B'), replaced: at('A'), ...changes };
    const known = { record: given.length === 0 ? record('A') : given[0], members: [at('A'), at('B'), at('C')] };
    t.strictSame(masterToPause(selection, known), expected === undefined ? undefined : at(expected));
  });
}
