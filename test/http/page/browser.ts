import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
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
  // The start of a process takes a quarter of a second of CPU: no process in reserve, none for the picture, and one for all sites.
  '--disable-features=SpareRendererForSitePerProcess,IsolateOrigins,site-per-process',
  '--disable-site-isolation-trials',
  '--renderer-process-limit=1',
  '--in-process-gpu',
  '--no-zygote',
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

/** A new visitor of the page, who shares a browser profile with others unless `options` are for a profile. Console lines that match `expected` are no faults. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { readonly expected?: RegExp; readonly fragment?: string } = {},
): Promise<Visit> {
  const { expected, fragment = '', ...context } = options;
  const page = await openPage(browser, context);
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

const profiles = new WeakMap<Browser, Promise<BrowserContext>>();

/** Each profile has processes of its own, whose start takes most of the CPU time of a short visit. */
async function openPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const usual = { viewport: { width: 1280, height: 900 } };
  if (Object.keys(options).length > 0) return browser.newPage({ ...usual, ...options });
  const profile = profiles.get(browser) ?? openProfile(browser, usual);
  profiles.set(browser, profile);
  return (await profile).newPage();
}

/** Its empty page keeps the process that the others use after it. */
async function openProfile(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  const profile = await browser.newContext(options);
  await profile.newPage();
  return profile;
}
