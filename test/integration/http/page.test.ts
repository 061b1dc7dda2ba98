import { readFile } from 'node:fs/promises';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { openBrowser, visit } from '../../http/page/browser.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only } from '../support/bridging.ts';
import { startCluster } from '../support/clustering.ts';

/* The live page in Chromium, on real software: a failover, a daemon that is absent, a render that is held. */
// A busy machine takes its time.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'page' });
const [consul, cluster, shard1, shard2] = await Promise.all([
  sandbox.consul(),
  startCluster(sandbox, { name: 'sessions' }),
  sandbox.redis({ name: 'shard1', replicas: 1 }),
  sandbox.redis({ name: 'shard2', replicas: 1 }),
]);
const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1, shard2] });
const token = 'of-the-page-test';
const held = sandbox.path('held.conf');
sandbox.write('held.hbs', '{{#each (service "web")}}{{address}}\n{{else}}none\n{{/each}}');
const daemon = await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] },
    cluster: [{ name: 'sessions', seeds: [formatAddress((cluster.nodes[0] ?? shard1.master).address)] }],
    templates: [
      { source: 'app.json.hbs', destination: sandbox.path('app.json') },
      { source: sandbox.path('held.hbs'), destination: held, header: false, guard: { minServers: 1 } },
    ],
    api: { tokenFile: sandbox.write('token', token) },
    journal: { file: sandbox.path('journal.jsonl') },
  },
});
const url = `http://${formatAddress(daemon.api)}/`;
const browser = await openBrowser(t);
// The browser itself logs that the daemon is absent.
const { page, wrongs } = await visit(browser, url, {
  expected: /ERR_CONNECTION|ERR_SOCKET|ERR_INCOMPLETE|ERR_EMPTY|status of 503/,
});
const [oldMaster, newMaster] = [shard1.master.address, shard1.replicas[0]?.address ?? shard1.master.address].map(
  formatAddress,
);
const card = page.locator('.master[data-name="shard1"]');

t.test('the page shows everything at first', async (t) => {
  await card
    .locator('.address', { hasText: oldMaster ?? '' })
    .first()
    .waitFor();
  await card.getByText('3 of 3 Sentinels agree').waitFor();
  await card.getByText('in sync').waitFor();
  await page.locator('.box[data-kind="template"]').nth(1).waitFor();
  await page.locator('.edge.moved').nth(1).waitFor({ state: 'attached' });
  t.equal(await page.locator('.box[data-kind="sentinel"]').count(), 3);
  await page.locator('.edge.agree').nth(5).waitFor({ state: 'attached' });
  t.equal(await page.locator('.edge.agree').count(), 6);
  t.equal(await page.locator('.failover').count(), 0);
});

t.test('a failover appears: the new master, its waterfall, the picture, the sentence', async (t) => {
  await shard1.master.kill();
  await page.locator('.failover[data-name="shard1"]').waitFor({ timeout: 60_000 });
  await waitFor('the card to show the new master', () => card.locator('> .address').textContent(), {
    until: (text) => text === newMaster,
  });
  const story = page.locator('.failover').first();
  t.match(await story.locator('h3').textContent(), `${oldMaster} → ${newMaster}`);
  await story.getByRole('row', { name: /app\.json rendered after .* swapped after/ }).waitFor();
  t.match(await story.getByRole('row', { name: /Consul/ }).textContent(), /observed after .*committed after/);
  await card.getByText('3 of 3 Sentinels agree').waitFor();
  await page.locator('.box[data-kind="master"]', { hasText: newMaster ?? '' }).waitFor();
  await page.locator('.box[data-kind="replica"]', { hasText: oldMaster ?? '' }).waitFor();
  await page.locator('.edge.moved').nth(1).waitFor({ state: 'attached' });
  t.match(await page.locator('#spoken').textContent(), /\S/, 'and it is said to who does not see');
  const decision = page.locator('.log li[data-change="true"] button').first();
  await decision.click();
  await page.locator('.sentences li', { hasText: /answered ROLE: master/ }).waitFor();
});

t.test('a cluster of three shards is a map, and its failover is seen', async (t) => {
  const sessions = page.locator('.cluster[data-name="sessions"]');
  await sessions.locator('.slotmap path[data-colour]').nth(2).waitFor();
  t.equal(await sessions.locator('.slotmap .uncovered').count(), 0);
  const [first, replica] = [cluster.nodes[0], cluster.nodes[3]];
  t.match(
    await sessions.locator('.shards .address').first().textContent(),
    formatAddress(first?.address ?? shard1.master.address),
  );
  await replica?.command('CLUSTER', 'FAILOVER');
  const promoted = formatAddress(replica?.address ?? shard1.master.address);
  await sessions.locator('.shards .address', { hasText: promoted }).waitFor();
});

t.test('the page shows the same when it is opened again', async (t) => {
  const later = await visit(browser, url);
  await later.page.locator('.failover[data-name="shard1"]').waitFor();
  t.equal(await later.page.locator('.master[data-name="shard1"] > .address').textContent(), newMaster);
  t.strictSame(later.wrongs, []);
  await later.page.close();
});

t.test('a held render is approved with the token, and the file is written', async (t) => {
  const template = page.locator('.template[data-state="held"]');
  await template.getByRole('button', { name: 'Approve this text' }).click();
  await page.getByLabel(/API token/).fill(token);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.locator('.template[data-name="held.conf"][data-state="current"]').waitFor();
  t.equal(await readFile(held, 'utf8'), 'none\n');
});

t.test('while the daemon is absent the page says that it is old, and afterwards it updates again', async (t) => {
  await daemon.stop();
  const band = page.locator('#old');
  await band.filter({ hasText: 'Old: this is how things were at' }).waitFor();
  t.match(await page.title(), /^\? old: /, 'without the sign of what is no longer known');
  t.equal(await card.locator('> .address').textContent(), newMaster, 'what was known is still shown');
  await daemon.start();
  await band.waitFor({ state: 'hidden' });
  await page.locator('#link[data-link="live"]').waitFor();
  await page.locator('.failover[data-name="shard1"]').waitFor();
  await failOver(only(sentinels), 'shard2');
  await page.locator('.failover[data-name="shard2"]').waitFor({ timeout: 60_000 });
});

t.test('the browser logged no error and sent no request to another server', async (t) => {
  t.strictSame(wrongs, []);
});
