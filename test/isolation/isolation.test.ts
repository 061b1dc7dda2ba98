import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { inOwnNetwork } from '../sandbox/namespace.ts';

/** `npm run test:field` examines two situations more. */
const whole = process.env.ISOLATION === 'all';
const scene = fileURLToPath(new URL('scene.ts', import.meta.url));

t.test(
  'an isolated master is paused before its successor is promoted, and one that hears anybody is not',
  async (t) => {
    const [file, ...args] = inOwnNetwork([process.execPath, scene]);
    const { stdout } = await promisify(execFile)(file, args, { timeout: 200_000 });
    const { heardAlone, partition, replaced, reports } = JSON.parse(stdout);
    t.comment(stdout);
    t.match(heardAlone, {
      ...(whole ? { replica: { text: 'it hears a replica in sync', reports: 0 } } : {}),
      sentinels: { text: 'it hears a majority of its Sentinels', reports: 0 },
      consul: { text: "it hears Consul's leader", reports: 0 },
    });
    for (const [contact, { states }] of Object.entries<{ states: readonly string[] }>(heardAlone))
      t.strictSame(
        states.filter((state) => state !== 'connected' && state !== 'silent'),
        [],
        `${contact} alone: nothing is paused`,
      );
    t.ok(partition.lastAckMs < partition.promotedMs, 'the last acknowledgement is before the promotion');
    t.equal(partition.afterPromotion, 0, 'no write is acknowledged in the rest of the partition');
    t.equal(partition.afterHeal, 0, 'a master that was replaced acknowledges nothing until it is a replica');
    t.equal(reports[0], 'isolated');
    if (!whole) return;
    t.match(replaced, {
      state: 'replaced',
      summary: /Consul's leader, and the master is now .*: its writes are paused/,
    });
    t.equal(replaced.late, 0, 'a connected master that was replaced acknowledges nothing until it is a replica');
  },
);
