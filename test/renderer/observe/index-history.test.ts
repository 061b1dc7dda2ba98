import t from 'tap';
import { queryId } from '../../../lib/model/query.ts';
import { IndexHistory } from '../../../lib/renderer/observe/index-history.ts';
import { Inputs } from '../../../lib/renderer/observe/inputs.ts';
import { start } from '../../consul/script.ts';

const first = { kind: 'service', service: 'a' } as const;
const second = { kind: 'service', service: 'b' } as const;

t.test('a text from values of before the fall does not prove those that come after it', async (t) => {
  const { script, watches } = start(t, { maxStaleMs: 0 });
  const inputs = new Inputs({ watches, onChange: () => undefined });
  t.teardown(() => inputs.release());
  const history = new IndexHistory(inputs);
  inputs.lookUp(first, queryId(first));
  (await script.next()).answer(['x'], 70);
  const blocked = await script.next();
  inputs.lookUp(second, queryId(second));
  (await script.next()).answer(['y', 'z'], 70);
  await script.next();
  history.prove(inputs.versions);
  t.equal(history.catalog, 'steady');
  blocked.answer([], 5);
  const [one, other] = [await script.next(), await script.next()];
  t.equal(history.catalog, 'fallen');
  history.prove(inputs.versions);
  const again = [one, other].find(({ query }) => query === second);
  again?.answer(['y'], 6);
  // A lower index is read again, and then counts.
  (await script.next()).answer(['y'], 6);
  await script.next();
  t.same(inputs.peek(second), ['y']);
  t.equal(history.catalog, 'fallen');
});
