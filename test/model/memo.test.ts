import t from 'tap';
import { Memo } from '../../lib/model/memo.ts';

t.test('it computes again only if one of the objects is another one', async (t) => {
  const memo = new Memo<number>();
  let count = 0;
  const compute = () => {
    count += 1;
    return count;
  };
  const [a, b] = [['a'], ['b']];
  t.equal(memo.get([a, b], compute), 1);
  t.equal(memo.get([a, b], compute), 1);
  t.equal(memo.get([a, ['b']], compute), 2);
  t.equal(memo.get([a], compute), 3);
  t.equal(memo.get([a, undefined], compute), 4);
});
