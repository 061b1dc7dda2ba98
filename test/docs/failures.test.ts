import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { healthCodes } from '../../lib/model/health.ts';
import { codesIn, projectDir, readPage, tableRows } from './pages.ts';

const { text } = await readPage('docs/guide/failures.md');
const rows = tableRows(text).filter(([first]) => first !== 'what fails');
const { text: alerts } = await readPage('deploy/prometheus/alerts.yml');

t.test('the table of failures has every code that is not only a note or a start', async (t) => {
  const reported = new Set(rows.flatMap((cells) => codesIn(cells[4] ?? '')));
  const codes = Object.entries(healthCodes).flatMap(([code, { level }]) =>
    level === 'warning' || level === 'critical' ? [code] : [],
  );
  t.strictSame(
    codes.filter((code) => !reported.has(code)),
    [],
    'codes without a row',
  );
  const known = (code: string) => Object.hasOwn(healthCodes, code) || alerts.includes(`alert: ${code}`);
  t.strictSame(
    [...reported].filter((code) => !known(code)),
    [],
    'in a row, but not existing',
  );
});

t.test('each failure has what users see, what happens, what to do, its report, and a test that exists', async (t) => {
  t.ok(rows.length > 30);
  for (const cells of rows) {
    t.equal(cells.filter((cell) => cell !== '').length, 6, `${cells[0]}`);
    const [file = 'none'] = codesIn(cells[5] ?? '');
    t.ok(existsSync(join(projectDir, file)), `${cells[0]}: ${file}`);
  }
});
