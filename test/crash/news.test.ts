import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { News } from '../../lib/crash/news.ts';

const { signal } = new AbortController();
const longMs = 60_000;

t.test('a rest ends when something arrives in it', async (t) => {
  const news = new News();
  const rest = news.rest({ leastMs: 1, mostMs: longMs, signal });
  setTimeout(() => news.arrive(), 20);
  await rest;
  t.pass();
});

t.test('a rest is short after something that arrived before it, and the next one is not', async (t) => {
  const news = new News();
  news.arrive();
  news.arrive();
  await news.rest({ leastMs: 1, mostMs: longMs, signal });
  const rest = news.rest({ leastMs: 1, mostMs: longMs, signal }).then(() => 'over');
  t.equal(await Promise.race([rest, delay(50, 'rests')]), 'rests');
  news.arrive();
  t.equal(await rest, 'over');
});

t.test('a rest ends by itself, and an aborted one rejects', async (t) => {
  const news = new News();
  await news.rest({ leastMs: 1, mostMs: 5, signal });
  await t.rejects(news.rest({ leastMs: 1, mostMs: longMs, signal: AbortSignal.timeout(5) }));
  await t.rejects(news.rest({ leastMs: longMs, mostMs: longMs, signal: AbortSignal.timeout(5) }));
});

t.test('rests leave nothing at the signal', async (t) => {
  const { signal } = new AbortController();
  const news = new News();
  for (const end of [() => {}, () => news.arrive()]) {
    const rest = news.rest({ leastMs: 1, mostMs: 20, signal });
    setTimeout(end, 10);
    await rest;
  }
  t.strictSame(getEventListeners(signal, 'abort'), []);
});
