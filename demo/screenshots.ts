// Takes the screenshots of the live page for the docs: the demo's stack, a moment after a real failover.
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { formatAddress } from '../lib/model/address.ts';
import { chromiumAt } from '../test/http/page/browser.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { type Stack, startStack } from './stack.ts';

const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const sandbox = await Sandbox.open({ name: 'shots' });
const browser = await chromium.launch(chromiumAt);
try {
  await mkdir(folder, { recursive: true });
  const stack = await startStack(sandbox, { register: 'proxies' });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1180 }, reducedMotion: 'reduce' });
  page.setDefaultTimeout(60_000);
  await page.goto(`http://${formatAddress(stack.daemon.api)}/`);
  await failOver(page, stack);
  await page.screenshot({ path: `${folder}failover-light.png` });
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.screenshot({ path: `${folder}failover-dark.png` });
  await page.setViewportSize({ width: 360, height: 780 });
  await page.screenshot({ path: `${folder}narrow-dark.png` });
} finally {
  await browser.close();
  await sandbox.close();
}

/** Waits until the old master is back as a replica, so that the picture shows the end. */
async function failOver(page: Page, { shard1, sentinels }: Stack): Promise<void> {
  await page.getByRole('heading', { name: 'All is well' }).waitFor({ timeout: 60_000 });
  await shard1.master.kill();
  await page.locator('.failover').waitFor({ timeout: 60_000 });
  await page.getByText('+switch-master', { exact: false }).first().waitFor({ timeout: 60_000 });
  for (const sentinel of sentinels)
    await sentinel.command('SENTINEL', 'DEBUG', 'publish-period', 500, 'info-period', 500);
  await shard1.master.start();
  await page.getByRole('heading', { name: 'All is well' }).waitFor({ timeout: 120_000 });
  await page.locator('.master', { hasNotText: 'in sync' }).waitFor({ state: 'detached', timeout: 60_000 });
  await page.locator('.master .reasons').waitFor({ state: 'detached', timeout: 60_000 });
}
