import type { Test } from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import type { Show } from './show.ts';
import { addressOf, brokenCluster, masterAt, templateOf } from './world.ts';

/** The topology's picture, and the map of a cluster's slots. */
export function testPictures(t: Test, { show }: { readonly show: Show }): void {
  t.test('the picture shows each proxy with its config file and the masters in that file', (t) => showProxies(t, show));
  t.test("a cluster's slots are a map", (t) => showSlots(t, show));
}

async function showProxies(t: Test, show: Show): Promise<void> {
  const proxy = (kind: 'haproxy' | 'twemproxy', port: number, status: 'passing' | 'critical' = 'passing') => ({
    ...{ id: `redis-proxy-${port}`, kind, name: null, version: null, role: 'unknown' as const, seenAt: null },
    ...{ address: { host: '10.0.0.9', port }, socket: null, check: { status, output: 'up' } },
  });
  const { page, wrongs } = await show(t, {
    masters: [masterAt(1), masterAt(2)],
    templates: [
      templateOf(),
      templateOf({ name: 'nutcracker.yml', source: 'twemproxy.yml.hbs', destination: '/n.yml' }),
    ],
    // Both have this text. It names the address of the first proxy; the second is found by its kind.
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
  t.match(words, 'haproxy 10.0.0.9:7002: passing, config rendered by haproxy.cfg.');
  t.match(words, 'twemproxy 10.0.0.9:7003: critical, config rendered by nutcracker.yml.');
  await page.setViewportSize({ width: 400, height: 800 });
  await page.getByText('current → shard1').first().waitFor();
  t.strictSame(wrongs, []);
}

async function showSlots(t: Test, show: Show): Promise<void> {
  const unwell = [{ address: addressOf(1, 'replica'), health: 'fail' as const }];
  const { page, wrongs } = await show(t, { clusters: [{ ...brokenCluster, unwell }] });
  await page.getByRole('heading', { name: 'Critical: sessions' }).waitFor();
  t.equal(await page.locator('.slotmap path[data-colour]').count(), 3);
  t.equal(await page.locator('.slotmap .uncovered').count(), 1);
  t.match(await page.locator('.cluster .reason').first().textContent(), 'cluster_state:fail');
  t.match(await page.locator('.shards').textContent(), /5,461 slots: 0-5460/);
  const down = page.locator('.node-of-cluster[data-level="warning"]');
  t.strictSame(await down.allTextContents(), [`!warning: ${formatAddress(addressOf(1, 'replica'))}`]);
  t.strictSame(wrongs, []);
}
