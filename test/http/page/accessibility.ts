import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { exampleReport } from '../../telemetry/report.ts';
import type { ExampleContents } from '../views.ts';
import type { Show } from './show.ts';
import { addressOf, brokenCluster, masterAt, templateOf } from './world.ts';

/** Keyboard, contrast and small screens. */
export function testAccessibility(t: Test, { show }: { readonly show: Show }): void {
  t.test('everything can be reached and used from the keyboard', (t) => useKeyboard(t, show));
  t.test('text has enough contrast in both schemes, and nothing is cut off at 360 pixels', (t) =>
    findLowContrast(t, show),
  );
}

async function useKeyboard(t: Test, show: Show): Promise<void> {
  const { page } = await show(t, {
    masters: [masterAt(1)],
    templates: [templateOf({ state: 'held' })],
    rendered: 'a\n',
    present: 'b\n',
  });
  await page.locator('.template').waitFor();
  const reached: string[] = [];
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    const focused =
      'const e = document.activeElement; e === document.body ? "" : (e.id || e.className || e.textContent).trim()';
    const name = (await page.evaluate(`(() => { ${focused.replace('; e ===', '; return e ===')} })()`)) as string;
    if (name === '') break;
    reached.push(name);
  }
  t.equal(reached[0], 'skip');
  for (const name of ['filter', 'Templates', 'name', 'primary', 'scroll diff']) t.ok(reached.includes(name), name);
  await page.locator('.master .name').focus();
  await page.keyboard.press('Enter');
  t.equal(await page.locator('.master .name').getAttribute('aria-expanded'), 'true');
  t.ok(await page.evaluate('document.activeElement.className === "name"'), 'focus stays where it was');
  await page.getByRole('table').getByRole('rowheader').first().waitFor();
  const landmarks = await Promise.all(
    ['banner', 'main', 'navigation', 'search'].map((role) => page.getByRole(role as 'main').count()),
  );
  t.strictSame(landmarks, [1, 1, 1, 1]);
  t.strictSame(await unnamedControls(page), []);
}

async function findLowContrast(t: Test, show: Show): Promise<void> {
  const script = await readFile(new URL('./contrast.js', import.meta.url), 'utf8');
  const { page } = await show(t, richContents());
  await page.locator('.master .name').first().click();
  await page.locator('.log button').first().click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { looked, low } = (await page.evaluate(script)) as { looked: number; low: string[] };
    t.ok(looked > 100, `${looked} texts`);
    t.strictSame(low, [], colorScheme);
  }
  await page.evaluate('document.documentElement.style.setProperty("--quiet", "#5a6068")');
  t.ok(((await page.evaluate(script)) as { low: string[] }).low.length > 5, 'text with too little contrast is found');
  await page.setViewportSize({ width: 360, height: 740 });
  await waitFor('the picture to be drawn again', () => page.locator('.picture').getAttribute('width'), {
    until: (width) => Number(width) < 360,
  });
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
}

/** Contents with an example of everything. */
function richContents(): ExampleContents {
  const journal = new Journal({ capacity: 50 });
  const { record } = masterAt(1);
  const stages = { observedMs: 2, plannedMs: 3, committedMs: 5 };
  const details = { cause: 'failover', record: { ...record, previous: addressOf(9) }, stages };
  journal.observe(
    exampleReport({ kind: 'applied', summary: 'master is another: failover', details }, { key: 'shard1' }),
  );
  const rendered = { stages: { rendered: 2, checked: 9, swapped: 10, reloaded: 30 } };
  journal.observe(exampleReport({ kind: 'applied', summary: 'replaced', details: rendered }, { loop: 'renderer' }));
  journal.observe(exampleReport({ kind: 'held', summary: 'waits' }, { key: 'shard2' }));
  const critical = masterAt(2, { check: { status: 'critical', output: 'Sentinel: o_down' } });
  const lost = masterAt(3, { problems: [{ kind: 'held', message: `it waits for ${'x'.repeat(200)}` }] });
  const sentinels = lost.sentinels.map((vote, i) => (i === 0 ? { ...vote, state: 'unreachable', master: null } : vote));
  return {
    masters: [masterAt(1), critical, { ...lost, sentinels }, masterAt(4, { record: null })],
    templates: [
      templateOf({ state: 'held' }),
      templateOf({ name: 'b.cfg', state: 'failed' }),
      templateOf({ name: 'c' }),
    ],
    rendered: `server ${addressOf(1).host}:6379\n`,
    present: `server ${addressOf(9).host}:6379\n`,
    journal,
    readiness: { missing: () => ['bridge: record of shard4'] },
    clusters: [brokenCluster],
    instances: [
      {
        ...{ id: 'redis-proxy-10.0.0.5:22121', kind: 'twemproxy' as const, name: null, version: '0.5.0' },
        ...{ address: { host: '10.0.0.5', port: 22121 }, socket: null, role: 'unknown' as const, seenAt: null },
        check: { status: 'warning' as const, output: 'pool beta: no server answers' },
      },
    ],
  };
}

/** Controls that a screen reader would have no name for. */
function unnamedControls(page: Page): Promise<unknown> {
  return page.evaluate(`[...document.querySelectorAll('button, input, a, summary, [role="region"]')]
    .filter((e) => !e.textContent.trim() && !e.getAttribute('aria-label') && !(e.labels && e.labels.length))
    .map((e) => e.outerHTML)`);
}
