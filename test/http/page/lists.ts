import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import type { MasterState } from '../../../lib/http/views.ts';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { exampleReport } from '../../telemetry/report.ts';
import type { Show } from './show.ts';
import { masterAt } from './world.ts';

/** The page with many masters: what it builds, and what a change costs. */
export function testLists(t: Test, { show }: { readonly show: Show }): void {
  t.test('of a thousand masters the page builds the rows in view, also at the end of the list', (t) =>
    scrollList(t, show),
  );
  t.test('a link finds a master that is not built, from another page, in the page, and back', (t) =>
    followLinks(t, show),
  );
  t.test('a change of many masters at once rebuilds their rows alone, in few frames', (t) => countRebuilt(t, show));
  t.test(
    'a hundred masters stay usable: problems first, one line each, a filter, and a change rebuilds one card',
    (t) => showHundredMasters(t, show),
  );
}

/** What may be built: the rows in view, and some above and below. A row has up to six tiles. */
const maxRows = 150;
const maxTiles = 300;

async function scrollList(t: Test, show: Show): Promise<void> {
  const { page, wrongs } = await show(t, { masters: Array.from({ length: 1_000 }, (_, i) => masterAt(i)) });
  await page.locator('.master').nth(20).waitFor();
  t.equal(await page.locator('#masters-groups .count').textContent(), '1000');
  const countRows = async (what: string) => {
    const [rows, tiles] = [await page.locator('.master').count(), await page.locator('.tile').count()];
    t.ok(rows > 10 && rows < maxRows, `${what}: ${rows} rows`);
    t.ok(tiles > 10 && tiles < maxTiles, `${what}: ${tiles} tiles`);
  };
  await countRows('at first');
  await page.locator('.master .name').first().focus();
  await page.evaluate('document.querySelector(".lines").scrollTop = 1e6');
  await page.locator('.master[data-name="shard999"]').waitFor();
  await countRows('at the end');
  t.equal(await page.evaluate('document.activeElement.closest(".master").dataset.name'), 'shard0', 'focus stays');
  const last = page.locator('.master[data-name="shard999"]');
  t.equal(await last.getAttribute('aria-posinset'), '1000');
  t.equal(await last.getAttribute('aria-setsize'), '1000');
  await last.locator('.name').click();
  await last.locator('.details').waitFor();
  await page.evaluate('document.querySelector(".lines").scrollTop = 0');
  await page.locator('.master[data-name="shard5"]').waitFor();
  await page.locator('.master[data-name="shard5"] .name').press('Tab');
  t.equal(await page.evaluate('document.activeElement.closest(".master").dataset.name'), 'shard6');
  t.strictSame(wrongs, []);
}

async function followLinks(t: Test, show: Show): Promise<void> {
  const masters = Array.from({ length: 400 }, (_, i) => masterAt(i));
  const { page, wrongs } = await show(t, { masters }, { fragment: '#master-shard300' });
  const target = (name: string) => page.locator(`.master[data-name="${name}"]:target`);
  await target('shard300').waitFor();
  t.ok(await isInView(page, 'shard300'));
  await page.locator('#filter').fill('shard7');
  await page.locator('.master[data-name="shard300"]').waitFor({ state: 'detached' });
  await page.evaluate('location.hash = "#master-shard200"');
  await target('shard200').waitFor();
  t.ok(await isInView(page, 'shard200'));
  t.equal(await page.locator('#filter').inputValue(), '', 'the filter does not hide it');
  await page.goBack();
  await target('shard300').waitFor();
  t.ok(await isInView(page, 'shard300'));
  t.strictSame(wrongs, []);
}

function isInView(page: Page, name: string): Promise<unknown> {
  return page.evaluate(`(() => {
    const { top, bottom } = document.getElementById('master-${name}').getBoundingClientRect();
    return top >= document.getElementById('masthead').offsetHeight && bottom <= innerHeight;
  })()`);
}

async function countRebuilt(t: Test, show: Show): Promise<void> {
  const masters: MasterState[] = Array.from({ length: 1_000 }, (_, i) => masterAt(i));
  const journal = new Journal({ capacity: 600 });
  const { page, wrongs } = await show(t, { masters, journal });
  await page.locator('.master').nth(20).waitFor();
  await page.evaluate(`
    globalThis.counts = { added: 0 };
    new MutationObserver((records) => {
      for (const { addedNodes } of records) counts.added += addedNodes.length;
    }).observe(document.querySelector('#masters-groups ul'), { childList: true });
  `);
  for (let i = 0; i < 300; i += 1) {
    masters[i] = masterAt(i, { check: { status: 'critical', output: 'Sentinel: o_down' } });
    journal.observe(exampleReport({ kind: 'held', summary: 'waits' }, { key: `shard${i}` }));
  }
  await page.getByRole('heading', { name: /^Critical: shard0, .* and 297 more$/ }).waitFor();
  t.equal(await page.locator('#attention > li').count(), 1, 'one row for all of them');
  t.ok((await page.locator('.master').count()) < 2 * maxRows, 'those that are not well are a list of rows too');
  t.ok(((await page.evaluate('document.querySelectorAll("*").length')) as number) < 6_000, 'few elements');
  const { added } = (await page.evaluate('counts')) as { added: number };
  t.ok(added < 2 * maxRows, `${added} rows of healthy masters were built`);
  t.strictSame(wrongs, []);
}

async function showHundredMasters(t: Test, show: Show): Promise<void> {
  const masters: MasterState[] = Array.from({ length: 100 }, (_, i) => masterAt(i));
  masters[42] = masterAt(42, { check: { status: 'critical', output: 'Sentinel: o_down' } });
  masters[50] = masterAt(50, { problems: [{ kind: 'held', message: 'it waits' }] });
  const journal = new Journal({ capacity: 10 });
  const { page, wrongs } = await show(t, { masters, journal });
  await page.getByRole('heading', { name: 'Critical: shard42' }).waitFor();
  t.equal(await page.locator('.master').count(), 100);
  t.equal(await page.locator('.master').first().getAttribute('data-name'), 'shard42');
  await page.locator('.attention').getByRole('link', { name: 'shard42' }).click();
  t.equal(await page.locator(':target').getAttribute('data-name'), 'shard42');
  t.ok(((await page.evaluate('document.querySelectorAll("*").length')) as number) < 5_000, 'few elements');
  await page.evaluate('for (const card of document.querySelectorAll(".master")) card.marked = true');
  masters[7] = masterAt(7, { record: null });
  journal.observe(exampleReport({ kind: 'applied', summary: 'moved' }, { key: 'shard7' }));
  await page.locator('.master[data-name="shard7"][data-level="unknown"]').waitFor();
  const rebuilt = await page.evaluate(
    '[...document.querySelectorAll(".master")].filter((card) => !card.marked).length',
  );
  t.equal(rebuilt, 1);
  await pickTile(t, page);
  await page.keyboard.press('/');
  await page.keyboard.type('shard9');
  await page.locator('.master').nth(10).waitFor();
  await page.locator('.master').nth(11).waitFor({ state: 'detached' });
  t.equal(await page.locator('.master').count(), 11, 'shard9 and shard90 to shard99');
  t.strictSame(wrongs, []);
}

/** Every master has a tile, and the picture shows those with a problem and the picked one. */
async function pickTile(t: Test, page: Page): Promise<void> {
  t.equal(await page.locator('.tile').count(), 100, 'each is in the picture');
  const tile = page.locator('.tile[data-name="shard50"][data-level="warning"] button');
  t.match(await tile.getAttribute('title'), 'it waits');
  const drawn = page.locator('.box[data-kind="title"] .title');
  t.strictSame(
    (await drawn.allTextContents()).slice(0, 3).sort(),
    ['shard42', 'shard50', 'shard7'],
    'those with a problem are drawn',
  );
  await page.locator('.tile[data-name="shard77"] button').focus();
  await page.keyboard.press('Enter');
  await drawn.filter({ hasText: 'shard77' }).waitFor();
  t.ok(await page.evaluate('document.activeElement.matches(".tile[data-name=shard77] [aria-pressed=true]")'));
}
