import t from 'tap';
import { PromotionReadings } from '../../../lib/bridge/observe/promotion-reading.ts';
import type { SentinelReading } from '../../../lib/bridge/observe/sentinel-reading.ts';
import type { SentinelHint } from '../../../lib/bridge/observe/sentinels.ts';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { at, view } from '../plan/world.ts';

const { sentinel } = view(1, 'A', 5);
const target = at('B');
const election = { epoch: 6, selected: target, replaced: at('A') };

function message(event: string, changes: Partial<SentinelHint> = {}): SentinelHint {
  return { sentinel, event: { event, master: 'm', target: undefined, message: '' }, election, ...changes };
}

/** Servers that answer at once, or never. */
function stage({ read = async () => [seen] }: { readonly read?: () => Promise<readonly SentinelReading[]> } = {}) {
  const asked: string[] = [];
  const readings = new PromotionReadings({
    sentinels: {
      read: (name, { only = [] } = {}) => {
        asked.push(`${name} of ${only.map(formatAddress).join()}`);
        return read();
      },
    },
    redis: {
      role: async (address: Address) => {
        asked.push(`ROLE of ${formatAddress(address)}`);
        return { address, role: 'master' };
      },
    },
    roleDeadlineMs: 500,
  });
  return { readings, asked };
}

const seen: SentinelReading = { kind: 'seen', sentinel, sentinelId: 's1', view: view(1, 'A', 6) };

t.test(
  'the leader and the promoted replica are asked at the promotion, and their answers are taken once',
  async (t) => {
    const { readings, asked } = stage();
    readings.heard('m', message('+promoted-slave'));
    t.strictSame(asked, [`m of ${formatAddress(sentinel)}`, `ROLE of ${formatAddress(target)}`]);
    const answers = readings.take('m', target);
    t.strictSame(await answers?.readings, [seen]);
    t.strictSame(await answers?.role, { address: target, role: 'master' });
    t.ok((answers?.untilMs ?? 0) > performance.now());
    t.equal(readings.take('m', target), undefined);
  },
);

t.test('they are asked again when a replica follows the new master, because the announcement may be next', (t) => {
  const { readings, asked } = stage();
  for (const event of ['+promoted-slave', '+slave-reconf-sent', '+slave-reconf-done'])
    readings.heard('m', message(event));
  t.equal(asked.length, 4);
  t.end();
});

t.test('nobody is asked about a failover whose beginning was not heard, or before the promotion', (t) => {
  const { readings, asked } = stage();
  readings.heard('m', message('+promoted-slave', { election: undefined }));
  readings.heard('m', message('+selected-slave'));
  t.strictSame(asked, []);
  t.equal(readings.take('m', target), undefined);
  t.end();
});

t.test('answers do not count for another address or master', (t) => {
  const { readings } = stage();
  readings.heard('m', message('+promoted-slave'));
  t.equal(readings.take('n', target), undefined);
  t.equal(readings.take('m', at('C')), undefined);
  t.end();
});

for (const event of ['disconnected', '-failover-abort-slave-timeout', '+reset-master']) {
  t.test(`answers do not count after ${event}, and another Sentinel's changes nothing`, (t) => {
    const { readings } = stage();
    readings.heard('m', message('+promoted-slave'));
    readings.heard('m', message(event, { sentinel: view(2, 'A', 5).sentinel, election: undefined }));
    t.not(readings.take('m', target), undefined);
    readings.heard('m', message('+promoted-slave'));
    readings.heard('m', message(event, { election: undefined }));
    t.equal(readings.take('m', target), undefined);
    t.end();
  });
}

t.test('a reading that fails is one without an answer', async (t) => {
  const { readings } = stage({ read: () => Promise.reject(new Error('no')) });
  readings.heard('m', message('+promoted-slave'));
  t.strictSame(await readings.take('m', target)?.readings, []);
});
