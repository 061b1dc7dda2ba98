import type { Test } from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { type HealthCode, healthCodes, makeReason, toHealth } from '../../../lib/model/health.ts';
import { healthGuide } from '../../../lib/model/health-guide.ts';
import { severities } from '../../../lib/model/severity.ts';
import { Journal } from '../../../lib/telemetry/journal.ts';
import { exampleReport } from '../../telemetry/report.ts';
import { exampleMaintenance } from '../views.ts';
import type { Show } from './show.ts';
import { masterAt, templateOf } from './world.ts';

const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202e"\'&lt;';
/** The same, with the character visible that reverses what follows it. */
const visibleMarkup = markup.replace('\u202e', '\\u{202e}');

/** What the page shows of masters and templates. */
export function testContent(t: Test, { show }: { readonly show: Show }): void {
  t.test('hostile names, addresses and texts are shown as text', (t) => showHostileTexts(t, show));
  t.test('problems and their hints are at the top, as text, until all is well', (t) => showProblems(t, show));
  t.test('every health code is listed at the top, and the level is in the headline', (t) => showEachCode(t, show));
  t.test('maintenance is shown at the master and at the top', (t) => showMaintenance(t, show));
  t.test('a master that is cut off and a second master are marked where they are', (t) => showMarks(t, show));
  t.test('the header names the node, its parts, Consul and the config', (t) => showNode(t, show));
  t.test('a problem that many masters share is one row, with what to do', (t) => showAlikeProblems(t, show));
}

async function showHostileTexts(t: Test, show: Show): Promise<void> {
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
  t.equal(await page.locator('.master .name .text').textContent(), visibleMarkup);
  t.equal(await page.locator('.master > .address').textContent(), `${host}:1`);
  t.match(await page.locator('.template del').first().textContent(), visibleMarkup);
  t.match(await page.locator('.log .summary').first().textContent(), visibleMarkup);
  t.notMatch(await page.locator('body').textContent(), '\u202e', 'nothing reorders the text around it');
  t.notMatch(await page.title(), '\u202e');
  t.equal(await page.locator('body script, img[onerror], svg[onload]').count(), 0);
  t.match(await page.title(), /switchmaster$/);
  t.strictSame(wrongs, []);
}

async function showProblems(t: Test, show: Show): Promise<void> {
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
  const messages = problems.map(({ message }) => message.replace(markup, visibleMarkup));
  t.strictSame(shown.toSorted(), messages.toSorted());
  t.match(await list.textContent(), 'consul services deregister', 'what to type');
  t.match(await list.locator('> li').nth(1).textContent(), ignored.summary.replace(markup, visibleMarkup));
  t.equal(await list.locator('> li').count(), 2, 'no master that is well');
  await list.getByRole('link', { name: 'shard1' }).focus();
  await page.keyboard.press('Enter');
  t.equal(await page.locator(':target').getAttribute('data-name'), 'shard1');
  t.match(await page.locator('.master[data-name="shard1"] .reasons').textContent(), 'does not let the bridge in');
  masters[0] = masterAt(1);
  desired.shift();
  journal.observe(exampleReport({ kind: 'applied', summary: 'moved' }, { key: 'shard1' }));
  journal.observe(exampleReport({ kind: 'applied', summary: 'monitored' }, { loop: 'provisioner', key: 'cache' }));
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  t.notOk(await page.locator('#attention').isVisible());
  t.strictSame(wrongs, []);
}

async function showEachCode(t: Test, show: Show): Promise<void> {
  const masters = [masterAt(1)];
  const reasons = (Object.keys(healthCodes) as HealthCode[]).map((code) =>
    makeReason({ code, subject: { kind: 'master', name: 'shard1' }, text: `About ${code}.` }),
  );
  const headlines = {
    critical: 'Critical: shard1',
    warning: 'Not well: shard1',
    unknown: 'Not everything is known yet',
    well: 'All is well',
  } as const;
  for (const level of severities) {
    const health = toHealth(reasons.filter((reason) => reason.level === level));
    const { page, wrongs } = await show(t, { masters, health });
    await page.getByRole('heading', { name: headlines[level] }).waitFor();
    const listed = (await page.locator('#attention').textContent()) ?? '';
    for (const { text } of health.reasons) t.equal(listed.includes(text), level !== 'well', text);
    t.strictSame(wrongs, []);
    await page.close();
  }
}

async function showMaintenance(t: Test, show: Show): Promise<void> {
  const masters = [masterAt(1, { maintenance: exampleMaintenance }), masterAt(2)];
  const { page, wrongs } = await show(t, { masters });
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  t.match(await page.locator('#verdict-facts').textContent(), '1 in maintenance');
  const marks = page.getByTitle('shard1 is in maintenance: by ops@db1');
  t.equal(await marks.textContent(), 'in maintenance');
  t.equal(await marks.count(), 1);
  t.strictSame(wrongs, []);
  await page.close();
}

async function showMarks(t: Test, show: Show): Promise<void> {
  const of = (writes: 'accepted' | 'paused' | 'not-pausable') => ({
    ...({ address: '10.1.0.2:6379', state: 'isolated', since: '2026-01-01T00:00:00.000Z', writes } as const),
    text: `nobody answers, writes are ${writes}`,
  });
  const states = ['accepted', 'paused', 'not-pausable'] as const;
  const masters = states.map((writes, index) => masterAt(index + 1, { isolation: of(writes) }));
  const [second] = masters[0]?.replicas ?? [];
  if (second === undefined) throw new Error('it has a replica');
  const address = formatAddress(second.address);
  const subject = { kind: 'master', name: 'shard1', address } as const;
  const reason = makeReason({ code: 'second-master', subject, text: `${address} answers as a master.` });
  const { page, wrongs } = await show(t, { masters, health: toHealth([reason]) });
  const marks = page.getByTitle(/^nobody answers/);
  await marks.first().waitFor();
  t.strictSame(await marks.allTextContents(), ['writes paused', 'isolated']);
  const replica = page.locator('[data-name="shard1"] .replicas li').filter({ hasText: address });
  t.equal(await replica.getAttribute('data-level'), 'critical');
  t.match(await page.locator('[data-name="shard1"] .reasons').textContent(), `${address} answers as a master.`);
  t.strictSame(wrongs, []);
  await page.close();
}

async function showNode(t: Test, show: Show): Promise<void> {
  const consul = makeReason({
    code: 'consul-unreachable',
    subject: { kind: 'consul', name: 'consul' },
    text: `Lost since ${new Date(Date.now() - 90_000).toISOString()}.`,
  });
  const { page, wrongs } = await show(t, { masters: [masterAt(1)], health: toHealth([consul]) });
  await page.getByRole('heading', { name: 'Critical: consul' }).waitFor();
  t.equal(await page.locator('.node').textContent(), 'web-1 bridge, renderer');
  t.equal(await page.locator('#consul-state').textContent(), 'Consul ✕');
  t.match(await page.locator('#consul-state').getAttribute('title'), 'Lost since ');
  const lost = page.locator('#attention .text');
  t.match(await lost.textContent(), /^Lost since (.+, )?\d\d:\d\d:\d\d \(1 min ago\)\.$/, 'in the time of the reader');
  t.equal(await page.locator('#config-state').textContent(), 'Config ✓');
  t.equal(await page.title(), '✕ consul critical · web-1 switchmaster');
  t.strictSame(wrongs, []);
}

async function showAlikeProblems(t: Test, show: Show): Promise<void> {
  const down = { status: 'critical', output: 'Sentinel: o_down' } as const;
  const masters = Array.from({ length: 30 }, (_, i) => (i < 10 ? masterAt(i, { check: down }) : masterAt(i)));
  masters[20] = masterAt(20, { problems: [{ kind: 'held', message: 'it waits' }] });
  const { page, wrongs } = await show(t, { masters });
  const rows = page.locator('#attention > li');
  await rows.nth(1).waitFor();
  t.equal(await rows.count(), 2);
  t.match(await rows.nth(0).textContent(), 'shard0, shard1, shard2 and 7 more');
  t.match(await rows.nth(0).textContent(), healthGuide['master-down'].meaning.slice(0, 20));
  t.match(await rows.nth(1).textContent(), 'it waits');
  await rows.nth(1).locator('summary').click();
  t.match(await rows.nth(1).locator('.guidance').textContent(), healthGuide['master-held'].fix.replaceAll('`', ''));
  t.equal(await rows.nth(1).locator('.copy').getAttribute('aria-label'), 'Copy switchmaster why shard20');
  t.strictSame(wrongs, []);
}
