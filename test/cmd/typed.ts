import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { nodeEnvironment, programFile } from '../runner/environment.ts';

/**
 * The real program on a terminal of its own (util-linux' script), with `answer` typed as soon as it asks. What it wrote
 * to either stream comes as one text.
 */
export async function typeProgram(
  argv: readonly string[],
  typing: { readonly answer: string; readonly environment?: Record<string, string> },
): Promise<{ readonly code: number | null; readonly text: string }> {
  const quoted = [process.execPath, programFile(), ...argv]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const env = { ...nodeEnvironment(), TERM: 'dumb', NO_COLOR: '1', ...typing.environment };
  const child = spawn('script', ['-qec', quoted, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  let asked = false;
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
    if (asked || !text.includes('[y/N] ')) return;
    asked = true;
    child.stdin.write(`${typing.answer}\n`);
  });
  await once(child, 'close');
  child.stdin.destroy();
  return { code: child.exitCode, text: text.replaceAll('\r\n', '\n') };
}
