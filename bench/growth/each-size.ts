import { Sandbox } from '../../test/sandbox/sandbox.ts';
import type { Row } from './table.ts';

interface EachSizeOptions {
  /** What there are so many of: `templates`. */
  readonly what: string;
  readonly sizes: readonly number[];
  readonly measure: (sandbox: Sandbox, size: number) => Promise<Row>;
}

/** Measures each size in a sandbox of its own. */
export async function measureEachSize(
  { what, sizes, measure }: EachSizeOptions,
  progress: (line: string) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    const sandbox = await Sandbox.open({ name: `growth-${what}-${size}` });
    try {
      progress(`${size} ${what}`);
      const row = await measure(sandbox, size);
      progress(JSON.stringify(row));
      rows.push(row);
    } finally {
      await sandbox.close();
    }
  }
  return rows;
}
