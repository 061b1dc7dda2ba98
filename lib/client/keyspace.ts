import { readInfo } from './instance-shapes.ts';

/**
 * Keys without a time to live, from lines `db0:keys=3,expires=1,...` of INFO. A restart drops expired keys, of which replicas
 * keep a copy.
 */
export function countLastingKeys(info: unknown): number {
  const databases = [...readInfo(info)].filter(([field]) => /^db\d+$/.test(field));
  const counts = databases.map(([, text]) => {
    const [, keys = 0, expires = 0] = /^keys=(\d+),expires=(\d+)/.exec(text) ?? [];
    return Number(keys) - Number(expires);
  });
  return counts.reduce((sum, count) => sum + count, 0);
}
