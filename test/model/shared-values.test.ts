import t from 'tap';
import { SharedValues } from '../../lib/model/shared-values.ts';

t.test('equal keys have one value', async (t) => {
  const shared = new SharedValues<{ readonly key: string }>(10);
  const value = shared.get('a', () => ({ key: 'a' }));
  t.equal(
    shared.get('a', () => t.fail('it is made again') as never),
    value,
  );
  t.not(
    shared.get('b', () => ({ key: 'b' })),
    value,
  );
});

t.test('values that are asked for again and again are kept, others are forgotten', async (t) => {
  const shared = new SharedValues<{ readonly key: string }>(4);
  let made = 0;
  const ask = (key: string) => {
    shared.get(key, () => {
      made += 1;
      return { key };
    });
  };
  for (let n = 0; n < 100; n += 1) {
    ask('often');
    ask(`once ${n}`);
  }
  t.equal(made, 101, 'the one that is asked for often was made once');
  ask('once 99');
  t.equal(made, 101, 'a recent one is kept');
  ask('once 0');
  t.equal(made, 102, 'an old one is not');
});
