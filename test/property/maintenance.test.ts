import fc from 'fast-check';
import t from 'tap';
import { Fencer } from '../../lib/bridge/fencing/fencer.ts';
import type { RedisPool } from '../../lib/client/redis-pool.ts';
import { MaintenanceMemory } from '../../lib/maintenance/memory.ts';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { formatNote } from '../../lib/model/maintenance.ts';
import { at, record, view } from '../bridge/plan/world.ts';
import { parameters } from './parameters.ts';

const forMs = fc.integer({ min: 1_000, max: 3_600_000 });
const skewMs = fc.integer({ min: -7_200_000, max: 7_200_000 });

t.test('a wrong clock never prolongs maintenance, and cuts it by no more than it is wrong', async (t) => {
  const property = fc.property(forMs, skewMs, fc.integer({ min: 0, max: 3_600_000 }), (lengthMs, wrongMs, lateMs) => {
    const orderedMs = Date.parse('2026-01-31T12:00:00Z');
    const [from, until] = [orderedMs, orderedMs + lengthMs].map((ms) => new Date(ms).toISOString());
    const text = formatNote({ by: 'ops', at: from ?? null, until: until ?? null, reason: null });
    const memory = new MaintenanceMemory();
    const present = { nowMs: lateMs, wallMs: orderedMs + lateMs + wrongMs };
    memory.observe('redis/maintenance', new Map([['shard1', text]]), present);
    const isOn = (ms: number) => memory.of('shard1', ms) !== undefined;
    const end = lateMs + lengthMs;
    if (isOn(end)) throw new Error('it lasts longer than it was ordered for, counted from when it was seen');
    if (isOn(Math.max(lateMs, lengthMs + Math.max(0, -wrongMs))))
      throw new Error('it is prolonged by more than the clock is wrong');
    const certain = lengthMs - Math.max(0, wrongMs) - 1;
    if (certain > lateMs && !isOn(certain)) throw new Error('it is cut by more than the clock is wrong');
  });
  fc.assert(property, parameters({ runs: 300 }));
  t.pass();
});

const names = ['begin', 'end', 'select', 'hold', 'change', 'return', 'enforce', 'promoted'] as const;
type Step = (typeof names)[number];
const steps = fc.array(fc.constantFrom<Step>(...names), { minLength: 1, maxLength: 25 });
/** The changes of master: A is replaced, and becomes master again. */
const changes: Partial<Record<Step, { readonly from: Address; readonly to: Address }>> = {
  change: { from: at('A'), to: at('B') },
  return: { from: at('B'), to: at('A') },
};

t.test(
  'in maintenance, a new master is released if it was paused before, and nothing else is sent to a node',
  async (t) => {
    let releases = 0;
    const property = fc.asyncProperty(steps, async (story) => {
      let maintenance: string | undefined;
      const paused = new Set<string>();
      const command = async (_address: Address, commands: readonly (readonly unknown[])[]) => {
        const sent = commands.map((words) => words.slice(0, 2).join(' ')).join();
        if (maintenance !== undefined && sent !== 'CLIENT UNPAUSE') throw new Error(`in maintenance: ${sent}`);
        return commands.map(() => 'OK');
      };
      const role = async (address: Address) => ({ address, role: 'master' });
      const redis = { command, role, connected: async () => undefined } as unknown as RedisPool;
      const reports: string[] = [];
      const onReport = ({ action, address, error }: { action: string; address: string; error: Error | undefined }) => {
        if (error !== undefined) throw error;
        reports.push(`${action} ${address}`);
        if (action.startsWith('pause')) paused.add(address);
        else if (action === 'release' || action === 'demote') paused.delete(address);
      };
      const fencer = new Fencer({ redis, settings: { fence: 'demote' }, whyNot: () => maintenance, onReport });
      for (const step of story) {
        const count = reports.length;
        const to = changes[step]?.to;
        const isReleased = to !== undefined && paused.has(formatAddress(to));
        await take(step);
        if (maintenance === undefined) continue;
        const acted = reports.slice(count).join();
        const allowed = isReleased ? `release ${formatAddress(to)}` : '';
        if (acted !== allowed) throw new Error(`${step} in maintenance: ${acted}, not ${allowed}`);
        if (isReleased) releases += 1;
      }

      async function take(step: Step): Promise<void> {
        const known = record('B', { previous: at('A'), replicas: [at('A')] });
        const members = [at('A'), at('B')];
        const views = [view(1, 'B', 5, { replicas: [{ address: at('A'), condition: 'up' }] })];
        const weigh = async () => ({ evidence: 'likely', views }) as const;
        const options = { members, views, weigh, stillHolds: () => true };
        const change = changes[step];
        if (change !== undefined) return fencer.changeMaster('m', change);
        switch (step) {
          case 'begin':
            maintenance = 'it is in maintenance';
            return fencer.suspend('m');
          case 'end':
            maintenance = undefined;
            return;
          case 'select':
            return fencer.pauseBeforePromotion('m', at('A'));
          case 'hold':
            return fencer.hold('m', at('A'));
          case 'enforce':
            await fencer.enforce({ ...known, name: 'm' }, options);
            return;
          case 'promoted':
            await fencer.enforce({ ...known, name: 'm', phase: 'promoted' }, options);
        }
      }
    });
    await fc.assert(property, parameters({ runs: 300 }));
    t.ok(releases > 0, 'a paused server became master in maintenance');
  },
);
