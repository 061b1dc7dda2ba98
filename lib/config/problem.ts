import { SwitchmasterError } from '../errors.ts';

/** A place in a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One problem of a configuration. */
export interface Problem {
  /** `sentinel.addresses[0]`, or the name of an environment variable; empty for a whole file. */
  readonly path: string;
  readonly message: string;
  readonly place?: Place;
  /** The problem is a file that is missing, empty or unreadable: it may pass by itself. */
  readonly kind?: 'file';
  /** How to fix it. */
  readonly hint?: string;
}

/** How many mistakes of a kind are listed: enough to correct a file by. */
export const maxMistakes = 50;

/** At most {@link maxMistakes} of the problems, and how many more there are. Does not explain the others. */
export function explainSome(found: readonly (() => Problem)[]): readonly Problem[] {
  const some = found.slice(0, maxMistakes).map((explain) => explain());
  const next = found[maxMistakes]?.();
  if (next === undefined) return some;
  const { path, place } = next;
  const more = { path, message: describeMore(found.length), hint: 'correct the others first' };
  return [...some, { ...more, ...(place === undefined ? {} : { place }) }];
}

/** What the last problem of a list says that leaves mistakes out. */
export function describeMore(count: number): string {
  const left = count - maxMistakes;
  return left === 1 ? '1 more mistake is here' : `${left} more mistakes begin here`;
}

export type Path = readonly (string | number)[];

/** `sentinel.addresses[0]`; keys that are not plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

export function formatPlace(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** One line for people: place, path, message, hint. */
function formatProblem(problem: Problem): string {
  const place = problem.place === undefined ? '' : `${formatPlace(problem.place)}: `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}${path}${problem.message}${hint}`;
}

/** An address may be refused because somebody wrote a password into it (`USER:PASSWORD@host`). */
function hidePasswords(message: string): string {
  return message.replace(/[^\s"'/@:]*:[^\s"'/@]+@/g, '[redacted]@');
}

/**
 * All problems as one error with the list in `details.problems`: `config-unreadable` where all of them are files that
 * cannot be read yet, else `config-invalid`.
 */
export function configError(found: readonly Problem[]): SwitchmasterError {
  const problems = found.map((problem) => ({ ...problem, message: hidePasswords(problem.message) }));
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  const code = problems.every(({ kind }) => kind === 'file') ? 'config-unreadable' : 'config-invalid';
  return new SwitchmasterError(code, `The configuration has ${count}:\n${lines.join('\n')}`, {
    details: { problems },
  });
}
