import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { type CpuProfile, cpuByFunction } from '../../bench/profile/functions.ts';
import type { Costs } from '../../bench/profile/report.ts';

const program = path.resolve(import.meta.dirname, '../../bench/profile/main.ts');

t.test('a profile of rendering has samples of the code that renders, and the files that it names', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'profile-'));
  const args = ['render', '--seconds', '1', '--services', '5', '--folder', folder, '--json'];
  const { stdout } = await execa(process.execPath, [program, ...args], { timeout: 120_000 });
  const { cpu, allocation, process: use, files } = JSON.parse(stdout) as Costs & { files: readonly string[] };
  for (const { packages } of [cpu, allocation]) {
    t.ok(packages.some(([name, self]) => name === 'lib/renderer' && self > 0));
  }
  t.ok(use.cpuMs > 0 && use.wallMs >= 1_000 && use.delayMs.max > 0);
  t.strictSame(
    files.map((file) => path.relative(folder, file)),
    ['render.cpuprofile', 'render.heapprofile'],
  );
  const saved = cpuByFunction(JSON.parse(readFileSync(files[0] ?? '', 'utf8')) as CpuProfile);
  t.ok(saved.some(({ file }) => file.startsWith('lib/renderer/reconciler.ts:')));
});

t.test('a function that calls itself counts once, and waiting is no cost', async (t) => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
  const handlebars = frame('visit', 'file:///app/node_modules/@scope/handlebars/dist/runtime.js');
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 3] },
      { id: 2, callFrame: frame('(idle)', '') },
      { id: 3, callFrame: handlebars, children: [4] },
      { id: 4, callFrame: handlebars, children: [5] },
      { id: 5, callFrame: frame('', new URL('../../lib/loop/run.ts', import.meta.url).href) },
    ],
    samples: [2, 3, 4, 5],
    timeDeltas: [50_000, 1_000, 2_000, 4_000],
  };
  t.strictSame(cpuByFunction(profile), [
    { name: '(anonymous)', package: 'lib/loop', file: 'lib/loop/run.ts:10', self: 4, total: 4 },
    { name: 'visit', package: '@scope/handlebars', file: 'dist/runtime.js:10', self: 3, total: 7 },
  ]);
});
