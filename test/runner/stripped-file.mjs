import { createHash } from 'node:crypto';

const folder = new URL('../../node_modules/.cache/stripped/', import.meta.url);

/**
 * Where the JavaScript of a TypeScript source is kept. The name is a hash of the source, so a file never goes stale.
 *
 * @param {string} source
 * @returns {URL}
 */
export function strippedFile(source) {
  const hash = createHash('sha1').update(process.version).update(source).digest('hex');
  return new URL(`${hash}.mjs`, folder);
}
