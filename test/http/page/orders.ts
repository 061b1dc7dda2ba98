import type { Browser } from 'playwright-core';
import type { Test } from 'tap';
import { SwitchmasterError } from '../../../lib/errors.ts';
import type { MasterControls, TemplateState } from '../../../lib/http/views.ts';
import type { Address } from '../../../lib/model/address.ts';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { exampleReport } from '../../telemetry/report.ts';
import { exampleToken, listen, serve } from '../serve.ts';
import { exampleViews } from '../views.ts';
import { visit } from './browser.ts';
import type { Show } from './show.ts';
import { addressOf, masterAt, templateOf } from './world.ts';

/** What takes the API token: the texts of templates, approvals and failovers. */
export function testOrders(t: Test, { browser, show }: { readonly browser: Browser; readonly show: Show }): void {
  t.test('the dialog says that the daemon takes no orders, before anybody types a token', (t) => refuseOrders(t, show));
  t.test('a template whose text needs the token shows its state, and the page never requests the text', (t) =>
    hideProtectedText(t, show),
  );
  t.test('a held render is approved by hand, with the token', (t) => approveHeldRender(t, show));
  t.test('a text that changed after it was shown is not approved', (t) => approveChangedText(t, browser));
  t.test('a failover is ordered by hand: its meaning, the choice of the new master, its steps and its result', (t) =>
    orderFailover(t, show),
  );
}

async function refuseOrders(t: Test, show: Show): Promise<void> {
  const { page, wrongs } = await show(t, { templates: [templateOf({ state: 'held' })] }, { orders: 'off' });
  await page.getByRole('button', { name: 'Approve this text' }).click();
  await page.getByRole('alert').filter({ hasText: 'api.tokenFile is not set' }).waitFor();
  t.ok(await page.locator('#token').isDisabled());
  t.notOk(await page.locator('#order-do').isVisible());
  await page.keyboard.press('Enter');
  await page.locator('#order').waitFor({ state: 'hidden' });
  t.strictSame(wrongs, []);
}

async function hideProtectedText(t: Test, show: Show): Promise<void> {
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
}

async function approveHeldRender(t: Test, show: Show): Promise<void> {
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
}

async function approveChangedText(t: Test, browser: Browser): Promise<void> {
  const approved: string[] = [];
  let text = 'one\n';
  const held = () => ({ ...templateOf({ state: 'held' }), held: `digest of ${text}` });
  const views = exampleViews();
  const { server } = serve(t, {
    ...views,
    templates: { list: () => [held()], get: held, rendered: async () => text, present: async () => 'none\n' },
    templateControls: {
      render: () => {},
      approve: (_, { digest = '' }) => {
        if (digest !== held().held) throw new SwitchmasterError('approve-refused', 'the text has changed');
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
  await page.getByRole('alert').filter({ hasText: 'the text has changed' }).waitFor();
  t.strictSame(approved, []);
  t.notOk(await page.locator('#order-do').isVisible(), 'the new text must be shown first');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('ins').filter({ hasText: 'two' }).waitFor();
  await approve();
  await waitFor('what was seen to be approved', () => approved, {
    until: ([digest]) => digest === 'digest of two\n',
  });
  t.strictSame(wrongs, []);
}

async function orderFailover(t: Test, show: Show): Promise<void> {
  const journal = new Journal({ capacity: 10 });
  const asked: unknown[] = [];
  const semaphore = Promise.withResolvers<void>();
  const replica = addressOf(1, 'replica');
  const masterControls = makeControls({ asked, journal, replica, proceed: semaphore.promise });
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
  t.match(asked, [{ name: 'shard1', successor: replica }]);
  t.equal(asked.length, 1);
  t.equal(await page.evaluate('document.activeElement.id'), 'order-cancel');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Begin a new generation…' }).click();
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'the Sentinels do not agree' }).waitFor();
  t.notMatch(await page.content(), exampleToken);
  t.strictSame(wrongs, []);
}

/** A bridge whose failover reports one step and then waits, and which refuses a new generation. */
function makeControls(given: {
  readonly asked: unknown[];
  readonly journal: Journal;
  readonly replica: Address;
  readonly proceed: Promise<void>;
}): MasterControls {
  const { asked, journal, replica, proceed } = given;
  return {
    failOver: async (name, { signal: _, ...wish }) => {
      asked.push({ name, ...wish });
      const step = { kind: 'applied', summary: "the old master's writes wait (3 ms)" } as const;
      journal.observe(exampleReport(step, { loop: 'failover-step', key: name }));
      await proceed;
      const offsets = { paused: 5, inherited: 5 };
      return {
        name,
        manner: 'paused' as const,
        from: addressOf(1),
        to: replica,
        generation: 1,
        epoch: 8,
        stages: {},
        withoutWritesMs: 80,
        offsets,
      };
    },
    previewFailover: async () => Promise.reject(new Error('the page asks for none')),
    rebase: () => Promise.reject(new SwitchmasterError('rebase-refused', 'the Sentinels do not agree')),
  };
}
