import { loadavg } from 'node:os';
import { programVariable } from '../test/runner/environment.ts';
import { buildProgram } from '../test/runner/program.ts';
import { type GrowthPart, type GrowthSizes, growthParts } from './growth/parts.ts';
import { formatTable, type Row, saveTable } from './growth/table.ts';

export interface GrowthBenchOptions extends GrowthSizes {
  /** Default: all. */
  readonly part?: readonly GrowthPart[];
  /** A folder for a CSV file and plots of each part. */
  readonly save?: string;
  readonly json?: boolean;
}

/** What grows with masters, templates, services, instances and cards of the page. Each part runs alone, one after the other. */
export async function benchGrowth(options: GrowthBenchOptions): Promise<void> {
  // What users run: a tenth of the modules, and less memory than the sources.
  process.env[programVariable] = await buildProgram();
  const parts = options.part ?? (Object.keys(growthParts) as GrowthPart[]);
  const results: { part: GrowthPart; load: readonly number[]; rows: readonly Row[] }[] = [];
  for (const part of parts) {
    const [before = 0] = loadavg();
    const rows = await growthParts[part].measure(options, (line) => process.stderr.write(`${part}: ${line}\n`));
    const load = [before, loadavg()[0] ?? 0].map((value) => Math.round(value * 10) / 10);
    results.push({ part, load, rows });
    if (options.save !== undefined) saveTable(options.save, { name: part, rows, plots: growthParts[part].plots });
    if (options.json === true) continue;
    process.stdout.write(`${part}, load of the machine ${load.join(' and ')}\n${formatTable(rows)}\n`);
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(results)}\n`);
}
