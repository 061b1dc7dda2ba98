import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

/** Options that isolate Debian's Chromium without windows: no sandbox for root, and no requests of its own over the network. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Each page has a process. Another one in reserve costs half a second of CPU.
  '--disable-features=SpareRendererForSitePerProcess',
];

/** How to launch it. */
export const chromiumAt = { executablePath: '/usr/bin/chromium-headless-shell', args: flags };

/** A page with what it did, and with what it must not do. */
export interface Visit {
  readonly page: Page;
  /** Errors in its console, exceptions, violations of its policy, and requests to other servers. */
  readonly wrongs: string[];
}

/** Debian's Chromium, closed with the test. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch(chromiumAt);
  t.teardown(() => browser.close());
  return browser;
}

/** A new visitor of the page. Console lines that match `expected` are no faults. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { readonly expected?: RegExp; readonly fragment?: string } = {},
): Promise<Visit> {
  const { expected, fragment = '', ...context } = options;
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...context });
  page.setDefaultTimeout(45_000);
  const wrongs: string[] = [];
  const note = (wrong: string): void => {
    if (expected?.test(wrong) !== true) wrongs.push(wrong);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => note(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) note(`request: ${request.url()}`);
  });
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => console.error('violation of ' + event.violatedDirective));`,
  );
  await page.goto(`${url}${fragment}`);
  return { page, wrongs };
}
