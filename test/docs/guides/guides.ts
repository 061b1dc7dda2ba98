import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inOwnNetwork } from '../../sandbox/namespace.ts';
import type { SceneName } from './scenes.ts';
import type { Walk } from './walk.ts';

export interface Guide {
  readonly page: string;
  readonly scene: SceneName;
}

const program = fileURLToPath(new URL('follow.ts', import.meta.url));
const limitMs = 400_000;

/** Does what a guide says, in a network of its own. */
export async function follow({ page, scene }: Guide): Promise<Walk> {
  const [file, ...args] = inOwnNetwork([process.execPath, program, scene, page], { mounts: 'own' });
  const { stdout, stderr } = await promisify(execFile)(file, args, { timeout: limitMs, maxBuffer: 16 * 1024 ** 2 });
  const result = JSON.parse(stdout) as Walk;
  return result.deviation === undefined
    ? result
    : { ...result, deviation: { ...result.deviation, text: `${result.deviation.text}\n${stderr}` } };
}

/** The first one runs in `npm test`, all of them in `npm run test:guides`. GUIDES is a part of the names of those to follow. */
export const guides: readonly Guide[] = [
  { page: 'docs/guide/getting-started.md', scene: 'sentinel' },
  { page: 'docs/guide/haproxy.md', scene: 'sentinel' },
  { page: 'docs/guide/twemproxy.md', scene: 'sentinel' },
  { page: 'docs/guide/existing-proxies.md', scene: 'proxies' },
  { page: 'docs/guide/applications.md', scene: 'application' },
  { page: 'docs/guide/sentinel-endpoint.md', scene: 'client' },
  { page: 'docs/guide/sentinel-clients.md', scene: 'client' },
  { page: 'docs/guide/redis-cluster.md', scene: 'cluster' },
  { page: 'docs/guide/two-datacenters.md', scene: 'datacenters' },
  { page: 'docs/guide/desired-masters.md', scene: 'unmonitored' },
  { page: 'docs/guide/access.md', scene: 'denied' },
  { page: 'docs/guide/operations.md', scene: 'running' },
  { page: 'docs/guide/redis-upgrades.md', scene: 'running' },
  { page: 'docs/guide/live-page.md', scene: 'running' },
  { page: 'docs/guide/migrations.md', scene: 'smitty' },
];
