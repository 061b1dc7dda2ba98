import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import type { MasterState } from '../../../lib/http/views.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { exampleReport } from '../../telemetry/report.ts';
import type { Show } from './show.ts';
import { addressOf, masterAt } from './world.ts';

/** How the page follows the daemon: the order of answers, sleep, hidden pages, and a server that refuses. */
export function testLink(t: Test, { show }: { readonly show: Show }): void {
  t.test('a late answer does not bring the former master back', (t) => answerLate(t, show));
  t.test('after the sleep of a laptop the page is old until the daemon answers', (t) => sleep(t, show));
  t.test('a hidden page leaves its connection to others, and is current when it is seen again', (t) => hide(t, show));
  t.test('a server that refuses to answer is named, and the page continues by itself', (t) => refuse(t, show));
}

async function answerLate(t: Test, show: Show): Promise<void> {
  const masters: MasterState[] = [masterAt(1)];
  const journal = new Journal({ capacity: 10 });
  const { page, wrongs } = await show(t, { masters, journal });
  const address = page.locator('.master > .address');
  await address.filter({ hasText: formatAddress(addressOf(1)) }).waitFor();
  await page.evaluate(`
    globalThis.seen = [];
    new MutationObserver(() => seen.push(document.querySelector('.master > .address').textContent))
      .observe(document.getElementById('masters'), { childList: true, subtree: true, characterData: true });
  `);
  const late = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  await page.route('**/v1/masters', async (route) => {
    const response = await route.fetch();
    read.resolve();
    await late.promise;
    await route.fulfill({ response });
  });
  await read.promise;
  const [master] = masters;
  if (master?.record == null) throw new Error('the example has no record');
  masters[0] = { ...master, record: { ...master.record, epoch: 8, master: addressOf(1, 'replica') } };
  journal.observe(exampleReport({ kind: 'applied', summary: 'moved' }, { key: 'shard1' }));
  await page.locator('.log .summary', { hasText: 'moved' }).waitFor();
  // Timers and answers come in order: what the page requests about the entry at once is answered before this.
  await page.evaluate(
    "new Promise((done) => setTimeout(done, 80)).then(() => fetch('/v1/masters/shard1')).then((r) => r.text())",
  );
  late.resolve();
  await page.unrouteAll({ behavior: 'wait' });
  await address.filter({ hasText: formatAddress(addressOf(1, 'replica')) }).waitFor();
  await page.waitForResponse('**/v1/masters');
  t.equal(await address.textContent(), formatAddress(addressOf(1, 'replica')));
  const seen = (await page.evaluate('seen')) as string[];
  const [former, latter] = [addressOf(1), addressOf(1, 'replica')].map(formatAddress);
  const changes = seen.filter((each, index) => each !== seen[index - 1]);
  t.ok(changes.lastIndexOf(former ?? '') < changes.indexOf(latter ?? ''), changes.join(', '));
  t.strictSame(wrongs, []);
}

async function sleep(t: Test, show: Show): Promise<void> {
  const { page, streams } = await show(t, { masters: [masterAt(1)] }, { expected: /ERR_/ });
  await waitForStreams(streams, 1);
  // What the clock and the timers of a page do when a laptop wakes up, before anything is answered.
  await page.route('**/v1/**', (route) => route.abort('failed'));
  await page.clock.install();
  await page.clock.fastForward('10:00');
  await page.locator('#old').filter({ hasText: 'Old: this is how things were at' }).waitFor();
  t.match(await page.locator('#verdict-text').textContent(), /^At \d\d:\d\d:\d\d: all is well$/);
  t.equal(await page.locator('#verdict-line').getAttribute('data-level'), 'unknown');
  t.equal(await page.locator('#verdict-line .sign').textContent(), '?');
  t.match(await page.title(), /^\? old: /);
  await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  t.ok(await isOnTop(page, 'old'), 'the band is seen wherever the page is scrolled');
  await page.unrouteAll({ behavior: 'wait' });
  await page.locator('#link[data-link="live"]').waitFor();
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  await waitForStreams(streams, 1);
}

function isOnTop(page: Page, id: string): Promise<unknown> {
  return page.evaluate(`(() => {
    const { left, top, height } = document.getElementById('${id}').getBoundingClientRect();
    return document.elementFromPoint(left + 5, top + height / 2)?.id === '${id}';
  })()`);
}

async function hide(t: Test, show: Show): Promise<void> {
  const masters: MasterState[] = [masterAt(1)];
  const journal = new Journal({ capacity: 10 });
  const { page, streams, wrongs } = await show(t, { masters, journal });
  await waitForStreams(streams, 1);
  const setHidden = (hidden: boolean) =>
    page.evaluate(`
      Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  await setHidden(true);
  await waitForStreams(streams, 0);
  masters[0] = masterAt(1, { check: { status: 'critical', output: 'Sentinel: o_down' } });
  await waitFor('the title to show it all the same', () => page.title(), { until: (text) => text.startsWith('✕') });
  journal.observe(exampleReport({ kind: 'held', summary: 'waits' }, { key: 'shard1' }));
  t.equal(streams.size, 0);
  await setHidden(false);
  await page.locator('.log .summary', { hasText: 'waits' }).waitFor();
  await waitForStreams(streams, 1);
  t.strictSame(wrongs, []);
}

async function refuse(t: Test, show: Show): Promise<void> {
  const { page } = await show(t, { masters: [masterAt(1)] }, { expected: /status of 401/ });
  const body = { error: { code: 'request-denied', message: 'log in first' } };
  await page.route('**/v1/**', (route) => route.fulfill({ status: 401, json: body }));
  await page.locator('#old').filter({ hasText: 'refuses to answer (request-denied: log in first)' }).waitFor();
  await page.unrouteAll({ behavior: 'wait' });
  await page.locator('#link[data-link="live"]').waitFor();
  t.notOk(await page.locator('#old').isVisible());
}

async function waitForStreams(streams: { readonly size: number }, count: number): Promise<void> {
  await waitFor(`${count} event streams`, () => streams.size, { until: (size) => size === count });
}
