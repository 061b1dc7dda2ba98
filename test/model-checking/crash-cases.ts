import type { crashWorld } from './crash-world.ts';

export interface CrashCase {
  readonly name: string;
  readonly world: Parameters<typeof crashWorld>[0];
}

export const rejection = { rejections: 1, cuts: 1 };
export const laterRejection = { ...rejection, deaths: 1, returns: 1 };

/** Small enough for every run of the tests. */
export const shortCrashes: readonly CrashCase[] = [
  { name: 'crash: a master that returns and dies again', world: { bridges: 2, budget: { deaths: 2, returns: 1 } } },
  {
    name: 'crash: a bridge without the right',
    world: { bridges: 2, budget: { deaths: 1, returns: 1 }, unprivileged: 1 },
  },
  { name: 'crash: maintenance begins and ends', world: { bridges: 2, budget: { deaths: 1, maintenance: 2 } } },
  {
    name: 'crash: a lost lease, a lost answer',
    world: { bridges: 2, budget: { deaths: 1, leaseLosses: 1, lostAnswers: 1 } },
  },
  { name: 'crash: a bridge restarts', world: { bridges: 2, budget: { deaths: 1, bridgeDeaths: 1 } } },
  { name: 'crash: one of three is rejected beside a cut', world: { bridges: 3, budget: rejection } },
];

/** These take up to a minute each. */
export const fullCrashes: readonly CrashCase[] = [
  {
    name: 'crash: three bridges, a master that returns, a lost lease',
    world: { bridges: 3, budget: { deaths: 2, returns: 1, leaseLosses: 1 } },
  },
  {
    name: 'crash: three bridges, a master that returns, then one of them is rejected beside a cut',
    world: { bridges: 3, budget: laterRejection },
  },
  {
    name: 'crash: three bridges, two without the right, maintenance, a lost answer',
    world: { bridges: 3, budget: { deaths: 1, maintenance: 2, lostAnswers: 1 }, unprivileged: 2 },
  },
  {
    name: 'crash: two bridges with all faults',
    world: {
      bridges: 2,
      budget: { deaths: 2, returns: 1, maintenance: 1, leaseLosses: 1, bridgeDeaths: 1, lostAnswers: 1 },
    },
  },
];
