import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { inOwnNetwork } from '../sandbox/namespace.ts';
import { judgeResult, type PairResult, pairCases } from './cases.ts';

const scene = fileURLToPath(new URL('scene.ts', import.meta.url));

t.test('the shared address leaves a host whose HAProxy or power fails, and does not go back by itself', async (t) => {
  const [file, ...args] = inOwnNetwork([process.execPath, scene]);
  const { stdout } = await promisify(execFile)(file, args, { timeout: 200_000 });
  t.comment(stdout);
  const results: readonly PairResult[] = JSON.parse(stdout);
  t.equal(results.length, 2);
  for (const result of results) {
    const pairCase = pairCases.find(({ name }) => name === result.name);
    t.strictSame(pairCase && judgeResult(pairCase, result), [], result.name);
    t.ok(result.movedMs !== null && result.acknowledged > 0);
  }
});
