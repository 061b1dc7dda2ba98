import t from 'tap';
import { follow, guides } from './guides.ts';

const { GUIDES = '' } = process.env;
const chosen = GUIDES === 'all' ? guides : guides.filter(({ page }) => page.includes(GUIDES));
const followed = GUIDES === '' ? guides.slice(0, 1) : chosen;
// A guide contains a failover, after which a second one waits for Sentinel.
t.setTimeout(420_000 * followed.length);

for (const guide of followed)
  t.test(`${guide.page}, followed word for word, works and shows what it says`, async (t) => {
    const { steps, deviation } = await follow(guide);
    t.equal(deviation && `line ${deviation.line}: ${deviation.text}`, undefined);
    t.ok(steps > 0);
  });
