import t from 'tap';
import { hasOlderEntry, isBroken, keepsEntries, removalMark, removedNames } from '../../lib/model/continuity.ts';

/** `a@5` is the key `a` at the index 5; `a@5!` has another value; `a@<9` is one of a former daemon that knew the index 9. */
const entries = (text: string) =>
  text
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => {
      const [key = '', index = ''] = one.split('@');
      const value = index.endsWith('!') ? 'other' : 'x';
      return index.startsWith('<')
        ? { key, value, modifyIndex: 0, highest: Number(index.slice(1)) }
        : { key, value, modifyIndex: Number.parseInt(index, 10) };
    });

const table = [
  { before: '', after: '', broken: false, older: false, keeps: false },
  { before: '', after: 'a@5', broken: false, older: false, keeps: false },
  { before: 'a@5', after: 'a@5', broken: false, older: false, keeps: true },
  { before: 'a@5', after: 'a@5 b@9', broken: false, older: false, keeps: true },
  { before: 'a@5 b@6', after: 'b@6', broken: false, older: false, keeps: false, what: 'one deleted' },
  { before: 'a@5', after: '', broken: true, older: false, keeps: false, what: 'the only one gone' },
  { before: 'a@5 b@6', after: '', broken: true, older: false, keeps: false, what: 'all gone' },
  { before: 'a@5 b@6', after: 'b@9', broken: true, older: false, keeps: false, what: 'one written again elsewhere' },
  { before: 'a@5 b@6', after: 'b@6!', broken: true, older: false, keeps: false, what: 'the same index by accident' },
  { before: 'a@5 b@6', after: 'b@2', broken: true, older: true, keeps: false, what: 'an older index' },
  { before: 'a@5 b@6', after: 'a@8 b@9', broken: false, older: false, keeps: false, what: 'all written again' },
  { before: 'a@<9 b@<9', after: 'b@7', broken: false, older: false, keeps: false, what: 'saved texts' },
  { before: 'a@<9 b@<9', after: 'b@7', index: 8n, broken: true, older: false, keeps: false, what: 'of an older index' },
  {
    before: 'a@<9 b@<9',
    after: 'b@7',
    index: 9n,
    broken: false,
    older: false,
    keeps: false,
    what: 'of the same index',
  },
  { before: 'a@<9 b@<9', after: 'a@6 b@7', index: 8n, broken: false, older: false, keeps: false, what: 'none gone' },
  {
    before: 'a@5 b@6',
    after: 'b@6',
    index: 2n,
    broken: false,
    older: false,
    keeps: false,
    what: 'seen by this daemon',
  },
  { before: 'a@<9 b@<9', after: 'b@12', broken: true, older: false, keeps: false, what: 'a saved text written again' },
  { before: 'a@<9 b@<9', after: 'b@7!', broken: true, older: false, keeps: false, what: 'saved texts of other data' },
  { before: 'a@5 b@6', after: 'a@5 b@3', broken: false, older: true, keeps: false, what: 'a snapshot restored' },
];

for (const { before, after, index, broken, older, keeps, what = '' } of table) {
  t.test(`[${before}] then [${after}] ${what}${index === undefined ? '' : ` (index ${index})`}`, async (t) => {
    const [first, second] = [entries(before), entries(after)];
    t.equal(isBroken(first, second, index), broken);
    t.equal(hasOlderEntry(first, second), older);
    t.equal(keepsEntries(first, second), keeps);
  });
}

t.test('answers that are no folders of keys show nothing', async (t) => {
  for (const value of [undefined, ['x'], new Map([['x', []]]), [{ id: 'x' }], { key: 'a', modifyIndex: 1 }]) {
    t.equal(hasOlderEntry(value, value), false);
    t.equal(keepsEntries(value, value), false);
  }
});

t.test('a mark names the master that is removed', async (t) => {
  const keys = ['redis/record/a', 'team%2Fapp', 'b/.lock', ''].map((name) =>
    removalMark(name.startsWith('redis') ? name : `redis/record/${name}`),
  );
  const marks = [...keys, 'redis/master/c/'].map((key) => ({ key, value: 'removed', modifyIndex: 1 }));
  const folder = { key: 'redis/record/d/', value: '', modifyIndex: 1 };
  t.same(removedNames([...marks, folder], 'redis/record/'), ['a', 'team/app']);
});
