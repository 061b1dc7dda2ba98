import type { Browser } from 'playwright-core';
import type { Test } from 'tap';
import type { EventStreams } from '../../../lib/http/events.ts';
import { listen, serve } from '../serve.ts';
import { type ExampleContents, exampleViews } from '../views.ts';
import { type Visit, visit } from './browser.ts';

/** Opens the page over fixed views until the test ends. Resolves when the page has its live connection. */
export type Show = (
  t: Test,
  contents: ExampleContents,
  options?: Parameters<typeof visit>[2] & Parameters<typeof serve>[2],
) => Promise<Visit & { readonly url: string; readonly streams: EventStreams }>;

export function showIn(browser: Browser): Show {
  return async (t, contents, { fragment = '', orders, ...options } = {}) => {
    const { server, streams } = serve(t, exampleViews(contents), orders === undefined ? {} : { orders });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const visited = await visit(browser, url, { ...options, fragment });
    t.teardown(() => visited.page.close());
    await visited.page.locator('#link[data-link="live"]').waitFor();
    return { ...visited, url, streams };
  };
}
