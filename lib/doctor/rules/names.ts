import { serviceDomain } from '../../model/consul-scope.ts';
import { collisions, dnsSafe, masterService } from '../../model/naming.ts';
import { type Rule, rule } from '../rule.ts';

/** Whether DNS can distinguish the masters, and has them under their own names. */
export const nameRules: readonly Rule[] = [
  rule({
    name: 'names-collide',
    severity: 'critical',
    reads: ['masters'],
    hint: 'Rename one in Sentinel.',
    find: ({ masters }) =>
      collisions(masters.map(({ name }) => name)).map((group) => ({
        subject: group[0] ?? '',
        text: `these masters have the same name in DNS: ${group.join(', ')}`,
      })),
  }),
  rule({
    name: 'name-not-dns',
    severity: 'warning',
    reads: ['masters', 'consul'],
    hint: 'Use that name, or rename the master in Sentinel: letters, digits and inner dashes, at most 63.',
    find: ({ masters, consul }) => {
      const names = masters.map(({ name }) => name);
      const collided = new Set(collisions(names).flat());
      return names
        .filter((name) => dnsSafe(name) !== name && !collided.has(name))
        .map((name) => ({
          subject: name,
          text: `its name is not valid in DNS, which has it as ${dnsSafe(name)}.${masterService}.${serviceDomain(consul.scope)}`,
        }));
    },
  }),
];
