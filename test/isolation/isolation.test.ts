import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { inOwnNetwork } from '../sandbox/namespace.ts';

const scene = fileURLToPath(new URL('scene.ts', import.meta.url));

t.test(
  'an isolated master is paused before its successor is promoted, and one that hears anybody is not',
  async (t) => {
    const [file, ...args] = inOwnNetwork([process.execPath, scene]);
    const { stdout } = await promisify(execFile)(file, args, { timeout: 200_000 });
    const { heardAlone, partition, reports } = JSON.parse(stdout);
    t.comment(stdout);
    t.strictSame(
      Object.values<{ text: string }>(heardAlone).map(({ text }) => text),
      ['it hears a replica in sync', 'it hears a majority of its Sentinels', "it hears Consul's leader"],
    );
    for (const [contact, { reports, longestGapMs }] of Object.entries<{ reports: number; longestGapMs: number }>(
      heardAlone,
    )) {
      t.equal(reports, 0, `${contact} alone: nothing is paused`);
      t.ok(longestGapMs < 1_500, `${contact} alone: writes are accepted`);
    }
    t.ok(partition.lastAckMs < partition.promotedMs - 500, 'the last acknowledgement is well before the promotion');
    t.equal(partition.afterHeal, 0, 'a master that was replaced acknowledges nothing until it is a replica');
    t.equal(reports[0], 'isolated');
  },
);
