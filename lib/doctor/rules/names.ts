import type { Examination, Finding } from '../../model/examination.ts';
import { collisions, dnsSafe, masterService } from '../../model/naming.ts';

/** Whether DNS can tell masters apart, and by the names that people expect. */
export function examineNames({ masters }: Examination): readonly Finding[] {
  const names = masters.map(({ name }) => name);
  const twins = collisions(names).map((group): Finding => {
    const says = `DNS cannot tell these masters apart: ${group.join(', ')}`;
    return {
      rule: 'names-collide',
      severity: 'critical',
      subject: group[0] ?? '',
      says,
      wayOut: 'Rename one in Sentinel.',
    };
  });
  const collided = new Set(collisions(names).flat());
  const changed = names
    .filter((name) => dnsSafe(name) !== name && !collided.has(name))
    .map((name): Finding => {
      const says = `its name is none that DNS takes: it is found as ${dnsSafe(name)}.${masterService}.service.consul`;
      const wayOut = 'Ask for that name, or rename it in Sentinel: letters, digits and inner dashes, at most 63.';
      return { rule: 'name-not-dns', severity: 'warning', subject: name, says, wayOut };
    });
  return [...twins, ...changed];
}
