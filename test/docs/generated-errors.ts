import { type ErrorCode, errorTable } from '../../lib/errors.ts';
import type { GeneratedPart } from './generated.ts';
import { missingMeaning, table } from './markdown-table.ts';
import { codesIn, tableRows } from './pages.ts';

/*
 * The tables of docs/reference/errors.md. The code has the message, the status, the exit code and whether the daemon tries again. The page
 * has which code belongs to which table, what may follow the message, and what to do.
 */

const page = 'docs/reference/errors.md';
const head = ['code', 'meaning', 'what to do', 'HTTP', 'exit', 'retried'];
const sections = ['config', 'files', 'consul', 'redis', 'operations', 'http'];

function writeErrors(current: string): string {
  const rows = tableRows(current).flatMap(([first = '', meaning = '', remedy = '']) => {
    const [code = ''] = codesIn(first);
    if (!isErrorCode(code)) return [];
    const { message, httpStatus, exitCode, retryable } = errorTable[code];
    // The page may continue the sentence, or add another one.
    const start = message.slice(0, -1);
    const said = meaning.startsWith(start) && !/^[\w-]/.test(meaning.slice(start.length)) ? meaning : message;
    const figures = [String(httpStatus), String(exitCode), retryable ? 'yes' : 'no'];
    return [[`<a id="${code}"></a>\`${code}\``, said, remedy || missingMeaning, ...figures]];
  });
  return table(head, rows);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

export const errorParts: readonly GeneratedPart[] = sections.map((section) => ({
  name: `errors-${section}`,
  page,
  write: writeErrors,
}));
