import t from 'tap';
import { ProgramEnds } from '../../../lib/renderer/apply/program-ends.ts';

t.test('the third end in a row is a problem, and one after a long run begins a new row', async (t) => {
  const ends = new ProgramEnds('proxy');
  ends.ended('exited with 1', 'short');
  ends.ended('exited with 1', 'short');
  t.equal(ends.problem, undefined);
  ends.ended('died of SIGSEGV', 'short');
  t.equal(ends.problem, 'proxy does not keep running: died of SIGSEGV, 3 times in a row. It wrote nothing.');
  ends.wrote('no such host');
  ends.ended('exited with 2', 'short');
  t.equal(ends.problem, 'proxy does not keep running: exited with 2, 4 times in a row. Its last line: no such host');
  ends.ended('exited with 2', 'long');
  t.equal(ends.problem, undefined);
});
