import t from 'tap';
import { formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { openBrowser, visit } from '../../http/page/browser.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readRecord, servicesOf } from '../support/bridging.ts';
import { costOf, startManyMasters } from '../support/many-masters.ts';

/*
 * Sixteen masters behind three real Sentinels; eight of them lose their server at once. `npm run test:many-masters`: a
 * hundred, of which twenty do, on the page as well.
 */
// A busy machine takes its time.
t.setTimeout(480_000);
const sandbox = await Sandbox.openFor(t, { name: 'many' });
const pairsCount = Number(process.env.PAIRS ?? 2);
const namesEach = Number(process.env.NAMES_EACH ?? 8);
const many = await startManyMasters(sandbox, { pairs: pairsCount, namesEach });
const { consul, sentinels, daemon, pairs } = many;
const [lost] = pairs;
const successor = lost?.replicas[0];
if (lost === undefined || successor === undefined) throw new Error('there are pairs');
const moved = many.names[0] ?? [];
const stayed = many.names.slice(1).flat();
/** A browser costs more CPU time than all the rest. */
const visited =
  process.env.PAIRS === undefined
    ? undefined
    : await visit(await openBrowser(t), `http://${formatAddress(daemon.api)}/`);

t.test('many masters are well, and the daemon uses few connections and watches', async (t) => {
  await waitFor('all to be well', async () => (await daemon.get('/v1/health')).body, {
    until: (health) => (health as { level: string }).level === 'well',
    timeoutMs: 120_000,
  });
  const { masters } = (await daemon.get('/v1/masters')).body as { masters: unknown[] };
  t.equal(masters.length, pairsCount * namesEach);
  const cost = await costOf(daemon);
  t.comment(JSON.stringify(cost));
  t.ok(
    cost.sockets < 3 * pairsCount * namesEach && cost.watches < 10,
    'a few connections a master, and no watch for each',
  );
});

t.test('many failovers at once change their own records and no other', async (t) => {
  const before = new Map(
    await Promise.all(stayed.map(async (name) => [name, await consul.key(`redis/record/${name}`)] as const)),
  );
  await lost.master.kill();
  const records = () => Promise.all(moved.map((name) => readRecord(consul, name)));
  const all = await waitFor('every record to follow', records, {
    timeoutMs: 120_000,
    until: (found) =>
      found.every((record) => record?.phase === 'confirmed' && sameAddress(record.master, successor.address)),
  });
  for (const record of all) {
    if (record === undefined) continue;
    const infos = await Promise.all(sentinels.map((sentinel) => sentinel.masterInfo(record.name)));
    t.ok(
      infos.some((info) => Number(info['config-epoch']) === record.epoch),
      `${record.name} has an epoch that a Sentinel has`,
    );
    const plain = await consul.key(`redis/master/${record.name}`);
    t.equal(plain, formatAddress(successor.address));
    const masters = (await servicesOf(consul, record.name)).filter(({ Service }) =>
      Service.ID.startsWith('redis-master'),
    );
    t.strictSame(
      masters.map(({ Service }) => `${Service.Address}:${Service.Port}`),
      [formatAddress(successor.address)],
    );
  }
  for (const [name, record] of before) t.equal(await consul.key(`redis/record/${name}`), record, name);
  t.comment(JSON.stringify(await costOf(daemon)));
});

if (visited !== undefined)
  t.test('the page shows all of them', async (t) => {
    const { page, wrongs } = visited;
    for (const name of [moved[0], moved.at(-1)]) {
      const address = page.locator(`.master[data-name="${name}"] > .address`);
      await waitFor('the card to follow', () => address.textContent(), {
        until: (text) => text === formatAddress(successor.address),
        timeoutMs: 30_000,
      });
    }
    await waitFor('the untouched to be well', () => page.locator('.tile[data-level="well"]').count(), {
      until: (count) => count >= stayed.length,
      timeoutMs: 30_000,
    });
    t.equal(await page.locator('.master').count(), pairsCount * namesEach);
    t.strictSame(wrongs, []);
  });
