import type { ApiOptions } from './option.ts';

const timeoutMs = 1_000;

/** A shell script splits names at blanks, and would have to quote other characters. */
const plain = /^[\w.@:+/-]+$/;

/**
 * The names of the masters and clusters that the daemon follows. None if it does not answer, because the user waits at the
 * prompt.
 */
export async function askNames(api: ApiOptions): Promise<readonly string[]> {
  const { ask } = await import('./api-client.ts');
  const { clustersAnswer, mastersAnswer } = await import('../lib/http/shapes.ts');
  try {
    const [{ masters }, { clusters }] = await Promise.all([
      ask({ api, path: '/v1/masters', timeoutMs }, mastersAnswer),
      ask({ api, path: '/v1/clusters', timeoutMs }, clustersAnswer),
    ]);
    return [...masters, ...clusters].map(({ name }) => name).filter((name) => plain.test(name));
  } catch {
    return [];
  }
}
