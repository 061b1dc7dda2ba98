import t from 'tap';
import { testAccessibility } from './accessibility.ts';
import { openBrowser } from './browser.ts';
import { testContent } from './content.ts';
import { testLink } from './link.ts';
import { testLists } from './lists.ts';
import { testOrders } from './orders.ts';
import { testPictures } from './pictures.ts';
import { showIn } from './show.ts';

/* The live page in Chromium, over fixed views: what needs no real failover. All of it shares one browser. */
// A busy machine takes its time.
t.setTimeout(240_000);
const browser = await openBrowser(t);
const show = showIn(browser);
testContent(t, { show });
testLists(t, { show });
testLink(t, { show });
testPictures(t, { show });
testOrders(t, { browser, show });
testAccessibility(t, { show });
