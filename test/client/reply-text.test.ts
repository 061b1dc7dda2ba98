import t from 'tap';
import { readAnnounced, readInfo } from '../../lib/client/instance-shapes.ts';
import { readInheritedOffset, readReplication, readSharedHistory } from '../../lib/client/replication-shapes.ts';
import { replyNumber, replyText } from '../../lib/client/reply-text.ts';
import { notTexts } from './not-texts.ts';

t.test('only texts and numbers are text', async (t) => {
  t.strictSame(['a', '', 7, 7n, null, undefined, true, ...notTexts].map(replyText), [
    ...['a', '', '7', '7', '', '', ''],
    ...notTexts.map(() => ''),
  ]);
  t.strictSame(['7', 7, '', 'a', null, ...notTexts].map(replyNumber), [
    7,
    7,
    ...Array(3 + notTexts.length).fill(Number.NaN),
  ]);
});

for (const part of notTexts) {
  t.test(`a part of a reply that is no text is an answer that cannot be used: ${typeof part}`, async (t) => {
    for (const reply of [part, [part], ['master', part], ['slave', 'h', 1, part, part], [part, part]])
      t.throws(() => readReplication(reply, 'ROLE'), { code: 'redis-answer-invalid' });
    const { role } = readReplication(['master', 1, [[part, part, part]]], 'ROLE');
    t.equal(role, 'master');
    t.equal(readInheritedOffset(part), undefined);
    t.equal(readSharedHistory(part), undefined);
    t.same(readAnnounced([part, part], { host: 'a', port: 'b' }), {});
    t.equal(readInfo(part).size, 0);
  });
}
