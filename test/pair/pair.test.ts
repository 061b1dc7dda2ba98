import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { inOwnNetwork } from '../sandbox/namespace.ts';
import { pairCases } from './cases.ts';
import { type FailureResult, judgeResult } from './failure.ts';

const limitMs = 200_000;
/** Less than the limit, so that the scene says what it waits for. */
const waitMs = 170_000;
const scene = fileURLToPath(new URL('scene.ts', import.meta.url));

t.test('the shared address leaves a host whose HAProxy or power fails, and does not go back by itself', async (t) => {
  const [file, ...args] = inOwnNetwork([process.execPath, scene, String(waitMs)]);
  const { stdout } = await promisify(execFile)(file, args, { timeout: limitMs });
  t.comment(stdout);
  const results: readonly FailureResult[] = JSON.parse(stdout);
  t.equal(results.length, 2);
  for (const result of results) {
    const pairCase = pairCases.find(({ name }) => name === result.name);
    t.strictSame(pairCase && judgeResult(pairCase, result), [], result.name);
    t.ok(result.movedMs !== null && result.acknowledged > 0);
  }
});
