import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { SwitchmasterError } from '../../../lib/errors.ts';
import type { MasterControls, MasterState, TemplateState } from '../../../lib/http/views.ts';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { exampleReport } from '../../telemetry/report.ts';
import { exampleToken, listen, serve } from '../serve.ts';
import { type ExampleContents, exampleViews } from '../views.ts';
import { openBrowser, type Visit, visit } from './browser.ts';
import { addressOf, brokenCluster, masterAt, templateOf } from './world.ts';

/* The live page in Chromium, over fixed views: what needs no real failover. */
// A busy machine takes its time.
t.setTimeout(120_000);
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

t.test('a template whose text takes the token shows its state, and never asks for the text', async (t) => {
  const templates = [
    templateOf({ name: 'secret.conf', state: 'invalid', access: 'token' }),
    templateOf({ name: 'open.cfg' }),
  ];
  const journal = new Journal({ capacity: 10 });
  const { page, wrongs } = await show(t, { templates, journal, rendered: 'one text\n' });
  const card = (name: string) => page.locator('.template').filter({ hasText: name });
  await card('open.cfg').locator('summary').click();
  await card('open.cfg').getByText('one text').waitFor();
  await card('secret.conf').locator('summary').click();
  t.match(await card('secret.conf').textContent(), /shows its text only with the token/);
  templates[0] = templateOf({ name: 'secret.conf', state: 'current', access: 'token' });
  journal.observe(exampleReport({ kind: 'applied', summary: 'replaced' }, { loop: 'renderer', key: 'secret.conf' }));
  await page.locator('.template[data-state="current"]').filter({ hasText: 'secret.conf' }).waitFor();
  t.strictSame(wrongs, [], 'nothing was refused');
});

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

t.test('what is not well and the way out stand at the top, as text, until all is well', async (t) => {
  const problems = [
    { kind: 'foreign-instance', message: `somebody else registered ${markup}; have it deregistered there` },
    { kind: 'redis-denied', message: 'Redis 10.1.0.2:6379 does not let the bridge in' },
  ] as const;
  const masters = [masterAt(1, { problems }), masterAt(2)];
  const desired = ['cache', 'shard2'];
  const outcome = { at: '2026-01-01T00:00:00.000Z', reconcileId: 'a', durationMs: 1, failures: 0, error: null };
  const ignored = { ...outcome, kind: 'held', summary: `desired/cache is ignored: ${markup}` } as const;
  const outcomes = {
    last: (loop: string, key: string) => (`${loop} ${key}` === 'provisioner cache' ? ignored : undefined),
  };
  const journal = new Journal({ capacity: 10 });
  const { page, wrongs } = await show(t, { masters, desired, outcomes, journal });
  await page.getByRole('heading', { name: 'Not well: shard1, desired/cache' }).waitFor();
  const list = page.getByRole('list', { name: 'Not well' });
  const shown = await list.locator('li li .text').allTextContents();
  t.strictSame(shown.toSorted(), problems.map(({ message }) => message).toSorted());
  t.match(await list.textContent(), 'consul services deregister', 'what to type');
  t.match(await list.locator('> li').nth(1).textContent(), ignored.summary);
  t.equal(await list.locator('> li').count(), 2, 'nothing of who is well');
  await list.getByRole('link', { name: 'shard1' }).focus();
  await page.keyboard.press('Enter');
  t.equal(await page.locator(':target').getAttribute('data-name'), 'shard1');
  t.match(await page.locator('.master[data-name="shard1"] .reasons').textContent(), 'does not let the bridge in');
  masters[0] = masterAt(1);
  desired.shift();
  journal.observe(exampleReport({ kind: 'applied', summary: 'moved' }, { key: 'shard1' }));
  journal.observe(exampleReport({ kind: 'applied', summary: 'taught' }, { loop: 'provisioner', key: 'cache' }));
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  t.notOk(await page.locator('#attention').isVisible());
  t.strictSame(wrongs, []);
});

t.test(
  'a hundred masters stay usable: trouble first, one line each, a filter, and a change costs one card',
  async (t) => {
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
    t.equal(await page.locator('.tile').count(), 100, 'each is in the picture');
    const tile = page.locator('.tile[data-name="shard50"][data-level="warning"] button');
    t.match(await tile.getAttribute('title'), 'it waits');
    const drawn = page.locator('.box[data-kind="title"] .title');
    t.strictSame(
      (await drawn.allTextContents()).slice(0, 3).sort(),
      ['shard42', 'shard50', 'shard7'],
      'those in trouble are drawn',
    );
    await page.locator('.tile[data-name="shard77"] button').focus();
    await page.keyboard.press('Enter');
    await drawn.filter({ hasText: 'shard77' }).waitFor();
    t.ok(await page.evaluate('document.activeElement.matches(".tile[data-name=shard77] [aria-pressed=true]")'));
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
  t.notOk(await page.locator('#order').isVisible());
  const kept = await page.evaluate('[document.cookie, localStorage.length, sessionStorage.length, location.href]');
  t.strictSame((kept as unknown[]).slice(0, 3), ['', 0, 0], 'the token is stored nowhere');
  t.notMatch(String((kept as unknown[])[3]), exampleToken);
  t.notMatch(await page.content(), exampleToken);
  await page.getByRole('button', { name: 'Forget the token' }).click();
  t.strictSame(wrongs, []);
});

t.test('what became another text since it was looked at is not approved', async (t) => {
  const approved: string[] = [];
  let text = 'one\n';
  const held = () => ({ ...templateOf({ state: 'held' }), held: `digest of ${text}` });
  const views = exampleViews();
  const { server } = serve(t, {
    ...views,
    templates: { list: () => [held()], get: held, rendered: () => text, present: () => 'none\n' },
    templateControls: {
      render: () => {},
      approve: (_, { digest = '' }) => {
        if (digest !== held().held) throw new SwitchmasterError('approve-refused', 'it is another one by now');
        approved.push(digest);
      },
    },
  });
  const expected = /status of 409/;
  const { page, wrongs } = await visit(browser, `http://127.0.0.1:${await listen(server)}/`, { expected });
  t.teardown(() => page.close());
  await page.locator('ins').filter({ hasText: 'one' }).waitFor();
  const approve = async () => {
    await page.getByRole('button', { name: 'Approve this text' }).click();
    await page.getByLabel(/API token/).fill(exampleToken);
    await page.keyboard.press('Enter');
  };
  await page.getByRole('button', { name: 'Approve this text' }).click();
  text = 'two\n';
  await page.keyboard.type(exampleToken);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'another one by now' }).waitFor();
  t.strictSame(approved, []);
  t.notOk(await page.locator('#order-do').isVisible(), 'it takes another look');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('ins').filter({ hasText: 'two' }).waitFor();
  await approve();
  await waitFor('what was seen to be approved', () => approved, { until: ([digest]) => digest === 'digest of two\n' });
  t.strictSame(wrongs, []);
});

t.test('a failover is ordered by hand: what it means, who it shall be, its steps and what came of it', async (t) => {
  const journal = new Journal({ capacity: 10 });
  const asked: unknown[] = [];
  const semaphore = Promise.withResolvers<void>();
  const replica = addressOf(1, 'replica');
  const masterControls: MasterControls = {
    failOver: async (name, wish) => {
      asked.push({ name, ...wish });
      const step = { kind: 'applied', summary: "the old master's writes wait (3 ms)" } as const;
      journal.observe(exampleReport(step, { loop: 'failover-step', key: name }));
      await semaphore.promise;
      const offsets = { paused: 5, inherited: 5 };
      return {
        name,
        from: addressOf(1),
        to: replica,
        generation: 1,
        epoch: 8,
        stages: {},
        withoutWritesMs: 80,
        offsets,
      };
    },
    rebase: () => Promise.reject(new SwitchmasterError('rebase-refused', 'the Sentinels do not agree')),
  };
  const expected = /status of 409/;
  const { page, wrongs } = await show(t, { masters: [masterAt(1)], journal, masterControls }, { expected });
  await page.locator('.master .name').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Fail over…' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Fail shard1 over' });
  t.match(await dialog.textContent(), /nothing that was acknowledged is lost/);
  t.equal(await page.evaluate('document.activeElement.id'), 'token');
  await page.getByLabel('New master').selectOption(`${replica.host}:${replica.port}`);
  await page.keyboard.press('Escape');
  t.strictSame(asked, [], 'nothing is done until it is confirmed');
  await page.getByRole('button', { name: 'Fail over…' }).click();
  await page.getByLabel('New master').selectOption(`${replica.host}:${replica.port}`);
  await page.getByLabel(/API token/).fill(exampleToken);
  await page.keyboard.press('Enter');
  await dialog.getByText("the old master's writes wait").waitFor();
  t.ok(await page.locator('#order-do').isDisabled(), 'it is not ordered twice');
  semaphore.resolve();
  await dialog
    .getByText('shard1 moved from 10.1.0.2:6379 to 10.2.0.2:6379, epoch 8, with 80 ms without writes.')
    .waitFor();
  t.strictSame(asked, [{ name: 'shard1', successor: replica }]);
  t.equal(await page.evaluate('document.activeElement.id'), 'order-cancel');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Begin a new generation…' }).click();
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'the Sentinels do not agree' }).waitFor();
  t.notMatch(await page.content(), exampleToken);
  t.strictSame(wrongs, []);
});

t.test(
  'the picture has the proxies, each with the file that it lives by and the masters that this points at',
  async (t) => {
    const proxy = (kind: 'haproxy' | 'twemproxy', port: number, status: 'passing' | 'critical' = 'passing') => ({
      ...{ id: `redis-proxy-${port}`, kind, name: null, version: null, role: 'unknown' as const, seenAt: null },
      ...{ address: { host: '10.0.0.9', port }, check: { status, output: 'up' } },
    });
    const { page, wrongs } = await show(t, {
      masters: [masterAt(1), masterAt(2)],
      templates: [
        templateOf(),
        templateOf({ name: 'nutcracker.yml', source: 'twemproxy.yml.hbs', destination: '/n.yml' }),
      ],
      // Both have this text: the one listens at the address that it names, of the other only the kind tells.
      rendered: `listen 10.0.0.9:7001\nserver ${addressOf(1).host}:6379\n`,
      instances: [proxy('haproxy', 7002), proxy('twemproxy', 7003, 'critical')],
    });
    await page.locator('.box[data-kind="proxy"]').nth(1).waitFor();
    const boxes = await page.locator('.box[data-kind="proxy"]').allTextContents();
    t.strictSame(
      boxes.map((text) => text.replace('✕', '').trim()),
      ['10.0.0.9:7002haproxy, passing', '10.0.0.9:7003twemproxy, critical'],
    );
    t.equal(await page.locator('.edge.moved').count(), 2, 'both files point at shard1');
    t.equal(await page.locator('.edge.broken').count(), 1, 'to the proxy that is not well');
    const words = await page.locator('#picture-words').textContent();
    t.match(words, 'haproxy 10.0.0.9:7002: passing, kept by haproxy.cfg.');
    t.match(words, 'twemproxy 10.0.0.9:7003: critical, kept by nutcracker.yml.');
    await page.setViewportSize({ width: 400, height: 800 });
    await page.getByText('current → shard1').first().waitFor();
    t.strictSame(wrongs, []);
  },
);

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
