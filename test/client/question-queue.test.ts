import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { QuestionQueue } from '../../lib/client/question-queue.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

/** Questions that are answered by hand. */
function open(atOnce: number) {
  const queue = new QuestionQueue(atOnce);
  const asked: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<string>>();
  const ask = (name: string, signal?: AbortSignal) => {
    const answer = Promise.withResolvers<string>();
    answers.set(name, answer);
    const question = () => {
      asked.push(name);
      return answer.promise;
    };
    return queue.ask(question, signal).catch((error: Error) => error.message);
  };
  const answer = (name: string) => answers.get(name)?.resolve(`about ${name}`);
  const fail = (name: string, error: Error) => answers.get(name)?.reject(error);
  return { asked, ask, answer, fail };
}

t.test('a few questions are asked at a time, and the others in their order', async (t) => {
  const { asked, ask, answer, fail } = open(2);
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name));
  t.strictSame(asked, ['a', 'b'], 'at once');
  answer('b');
  await turn();
  t.strictSame(asked, ['a', 'b', 'c']);
  fail('a', new Error('refused'));
  answer('c');
  await turn();
  t.strictSame(asked, ['a', 'b', 'c', 'd', 'e'], 'a failure is an answer too');
  for (const name of ['d', 'e']) answer(name);
  t.strictSame(await Promise.all(all), ['refused', 'about b', 'about c', 'about d', 'about e']);
  const further = [ask('f'), ask('g'), ask('h')];
  t.strictSame(asked.slice(5), ['f', 'g'], 'when all are answered, as many are asked as at first');
  for (const name of ['f', 'g', 'h']) answer(name);
  await Promise.all(further);
});

t.test('a question that is no longer wanted is not asked', async (t) => {
  const { asked, ask, answer } = open(1);
  const [abort, late] = [new AbortController(), new AbortController()];
  const [a, b, c] = [ask('a'), ask('b', abort.signal), ask('c', late.signal)];
  abort.abort(new Error('interrupted'));
  t.equal(await b, 'interrupted');
  answer('a');
  t.equal(await a, 'about a');
  late.abort(new Error('too late'));
  answer('c');
  t.equal(await c, 'about c', 'it was asked before');
  t.equal(await ask('d', abort.signal), 'interrupted');
  t.strictSame(asked, ['a', 'c']);
});

t.test('those that wait fail together when the server does not answer one', async (t) => {
  const { asked, ask, answer, fail } = open(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => ask(name));
  fail('a', new SwitchmasterError('redis-timeout', 'no answer'));
  await turn();
  t.strictSame(asked, ['a', 'b'], 'no further one has to wait for its deadline');
  answer('b');
  t.strictSame(await Promise.all(all), ['no answer', 'about b', 'no answer', 'no answer']);
  const [e, f] = [ask('e'), ask('f')];
  t.strictSame(asked, ['a', 'b', 'e', 'f'], 'a later question is asked');
  for (const name of ['e', 'f']) answer(name);
  t.strictSame(await Promise.all([e, f]), ['about e', 'about f']);
});
