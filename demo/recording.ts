// Records a run of the demo as docs/images/failover.svg. Pauses of more than 2.5 s are shortened, as while the servers start, and what
// comes at once is shown line by line. The times that the lines name are those of the run.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { drawRecording, type RecordedLine } from './animated-terminal.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));
const picture = fileURLToPath(new URL('../docs/images/failover.svg', import.meta.url));

const startedAtMs = performance.now();
const lines: RecordedLine[] = [];
const run = execa(process.execPath, [program], { env: { FORCE_COLOR: '1' }, stderr: 'inherit' });
for await (const text of run.iterable())
  lines.push({ atMs: performance.now() - startedAtMs, text: withoutFolder(String(text)) });

const playback = { columns: 104, rows: 30, longestPauseMs: 2_500, shortestPauseMs: 90, holdMs: 6_000 };
await writeFile(picture, drawRecording(trimmed(lines), playback));
process.stdout.write(`${picture}: ${lines.length} lines\n`);

/** The sandbox's folder has another name in each run. */
function withoutFolder(text: string): string {
  return text.replaceAll(/\/tmp\/switchmaster-demo-\w+\//g, '');
}

/** Without empty lines at both ends. */
function trimmed(all: readonly RecordedLine[]): readonly RecordedLine[] {
  const filled = all.map(({ text }) => text.trim() !== '');
  return all.slice(filled.indexOf(true), filled.lastIndexOf(true) + 1);
}
