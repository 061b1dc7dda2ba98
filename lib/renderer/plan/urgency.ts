import type { ConsulQuery } from '../../model/query.ts';

/**
 * Whether a change of what a template reads may be gathered with others. What tells who is master may not: the records,
 * the plain keys beside them, and the service that the bridges write.
 */
export function namesMasters(query: ConsulQuery): 'masters' | 'other' {
  switch (query.kind) {
    case 'key-tree':
      return /^redis\/(?:[^/]+\/)?(?:record|master|cluster)\//.test(query.prefix) ? 'masters' : 'other';
    case 'key':
      return /^redis\/(?:[^/]+\/)?(?:record|master|cluster)\//.test(query.key) ? 'masters' : 'other';
    case 'service':
      return query.service === 'redis-master' ? 'masters' : 'other';
    default:
      return 'other';
  }
}
