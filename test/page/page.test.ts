import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { MasterState, TemplateState } from '../../lib/http/views.ts';
import { Journal } from '../../lib/telemetry/journal.ts';
import { exampleToken, listen, serve } from '../http/serve.ts';
import { type ExampleContents, exampleViews } from '../http/views.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleReport } from '../telemetry/report.ts';
import { openBrowser, type Visit, visit } from './browser.ts';
import { addressOf, brokenCluster, masterAt, templateOf } from './world.ts';

/* The live page in Chromium, over fixed views: what needs no real failover. */
const browser = await openBrowser(t);

async function show(
  t: Test,
  contents: ExampleContents,
  options: Parameters<typeof visit>[2] = {},
): Promise<Visit & { url: string }> {
  const { server } = serve(t, exampleViews(contents));
  const url = `http://127.0.0.1:${await listen(server)}/`;
  const visited = await visit(browser, url, options);
  t.teardown(() => visited.page.close());
  await visited.page.locator('#link[data-link="live"]').waitFor();
  return { ...visited, url };
}

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202e"\'&lt;';

t.test('hostile names, addresses and texts are shown as text', async (t) => {
  const host = '"><svg onload=alert(1)>';
  const bad = masterAt(1, { name: markup, check: { status: 'critical', output: markup } });
  const [vote] = bad.sentinels;
  const record = bad.record && { ...bad.record, master: { host, port: 1 }, reason: markup, changedBy: markup };
  const journal = new Journal({ capacity: 10 });
  journal.observe(
    exampleReport({ kind: 'applied', summary: markup, details: { cause: 'failover', record } }, { key: markup }),
  );
  const templates = [templateOf({ name: markup, destination: markup, state: 'held', dependencies: [markup] })];
  const sentinels = vote === undefined ? [] : [{ ...vote, address: { host: markup, port: 2 }, flags: [markup] }];
  const masters = [{ ...bad, record, sentinels }];
  const { page, wrongs } = await show(t, { masters, templates, journal, rendered: 'another', present: markup });
  await page.locator('.master .name').click();
  await page.locator('.log button').first().click();
  t.equal(await page.locator('.master .name .text').textContent(), markup);
  t.equal(await page.locator('.master > .address').textContent(), `${host}:1`);
  t.match(await page.locator('.template del').first().textContent(), markup);
  t.match(await page.locator('.log .summary').first().textContent(), markup);
  t.equal(await page.locator('body script, img[onerror], svg[onload]').count(), 0);
  t.match(await page.title(), /switchmaster$/);
  t.strictSame(wrongs, []);
});

t.test(
  'a hundred masters stay usable: trouble first, one line each, a filter, and a change costs one card',
  async (t) => {
    const masters: MasterState[] = Array.from({ length: 100 }, (_, i) => masterAt(i));
    masters[42] = masterAt(42, { check: { status: 'critical', output: 'Sentinel: o_down' } });
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
    await page.keyboard.press('/');
    await page.keyboard.type('shard9');
    await page.locator('.master').nth(10).waitFor();
    await page.locator('.master').nth(11).waitFor({ state: 'detached' });
    t.equal(await page.locator('.master').count(), 11, 'shard9 and shard90 to shard99');
    t.strictSame(wrongs, []);
  },
);

t.test('a held render is approved by hand, with the token', async (t) => {
  const templates: TemplateState[] = [templateOf({ state: 'held', missing: [] })];
  const approved: string[] = [];
  const journal = new Journal({ capacity: 10 });
  const templateControls = {
    render: () => {},
    approve: (name: string) => {
      approved.push(name);
      templates[0] = templateOf({ state: 'current' });
      journal.observe(exampleReport({ kind: 'applied', summary: 'replaced' }, { loop: 'renderer', key: name }));
    },
  };
  const texts = { rendered: 'server a\nserver b\n', present: 'server a\nserver c\n' };
  const contents = { templates, templateControls, journal, ...texts };
  const { page, wrongs } = await show(t, contents, { expected: /status of 401/ });
  t.match(await page.locator('.diff').textContent(), /- server c\n\+ server b/);
  await page.getByRole('button', { name: 'Approve this text' }).click();
  t.equal(await page.evaluate('document.activeElement.id'), 'token');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Authorization: Bearer' }).waitFor();
  t.strictSame(approved, []);
  await page.locator('#token').fill(exampleToken);
  await page.keyboard.press('Enter');
  await page.locator('.template[data-state="current"]').waitFor();
  t.strictSame(approved, ['haproxy.cfg']);
  t.notOk(await page.locator('#approval').isVisible());
  const kept = await page.evaluate('[document.cookie, localStorage.length, sessionStorage.length, location.href]');
  t.strictSame((kept as unknown[]).slice(0, 3), ['', 0, 0], 'the token is stored nowhere');
  t.notMatch(String((kept as unknown[])[3]), exampleToken);
  t.notMatch(await page.content(), exampleToken);
  await page.getByRole('button', { name: 'Forget the token' }).click();
  t.strictSame(wrongs, []);
});

t.test('what became another text since it was looked at is not approved', async (t) => {
  const approved: string[] = [];
  const views = exampleViews({ templates: [templateOf({ state: 'held' })] });
  let rendered = 'one\n';
  const { server } = serve(t, {
    ...views,
    templates: { ...views.templates, rendered: () => rendered, present: () => 'none\n' },
    templateControls: { render: () => {}, approve: (name) => void approved.push(name) },
  });
  const { page } = await visit(browser, `http://127.0.0.1:${await listen(server)}/`);
  t.teardown(() => page.close());
  await page.getByRole('button', { name: 'Approve this text' }).click();
  rendered = 'two\n';
  await page.keyboard.type(exampleToken);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'another one by now' }).waitFor();
  t.strictSame(approved, []);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('ins').filter({ hasText: 'two' }).waitFor();
});

t.test('everything can be reached and used from the keyboard', async (t) => {
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
    const told =
      'const e = document.activeElement; e === document.body ? "" : (e.id || e.className || e.textContent).trim()';
    const name = (await page.evaluate(`(() => { ${told.replace('; e ===', '; return e ===')} })()`)) as string;
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
});

t.test('text has contrast enough in both schemes, and nothing is cut off at 360 pixels', async (t) => {
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
  t.ok(((await page.evaluate(script)) as { low: string[] }).low.length > 5, 'and where it had not, that would be seen');
  await page.setViewportSize({ width: 360, height: 740 });
  await waitFor('the picture to be drawn anew', () => page.locator('.picture').getAttribute('width'), {
    until: (width) => Number(width) < 360,
  });
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
});

t.test("a cluster's slots are a map", async (t) => {
  const { page, wrongs } = await show(t, { clusters: [brokenCluster] });
  await page.getByRole('heading', { name: 'Critical: sessions' }).waitFor();
  t.equal(await page.locator('.slotmap path[data-colour]').count(), 3);
  t.equal(await page.locator('.slotmap .uncovered').count(), 1);
  t.match(await page.locator('.cluster .reason').first().textContent(), 'failed');
  t.match(await page.locator('.shards').textContent(), /5,461 slots: 0–5460/);
  t.strictSame(wrongs, []);
});

/** Something of everything. */
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
  const lost = masterAt(3);
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
        ...{ address: { host: '10.0.0.5', port: 22121 }, role: 'unknown' as const, seenAt: null },
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
