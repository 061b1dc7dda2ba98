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
  /** How many mistakes it stands for. Default: 1. */
  readonly count?: number;
}

/** How many mistakes of a kind are listed: enough to correct a file by. */
export const maxMistakes = 50;

/** How many of them each section shows, however many mistakes are in the sections before it. */
const leastMistakes = 3;

/** A mistake, and the section of the config that contains it. */
export interface Found {
  readonly section: string;
  readonly explain: () => Problem;
}

/**
 * About {@link maxMistakes} of the mistakes, at least {@link leastMistakes} of each section, and how many more each section has.
 * Does not explain the others.
 */
export function explainSome(found: readonly Found[]): readonly Problem[] {
  const sections = Map.groupBy(found, ({ section }) => section);
  let spare = maxMistakes;
  for (const { length } of sections.values()) spare -= Math.min(length, leastMistakes);
  return [...sections.values()].flatMap((mistakes) => {
    const shown = Math.min(mistakes.length, leastMistakes + Math.max(0, spare));
    spare -= Math.max(0, shown - leastMistakes);
    const some = mistakes.slice(0, shown).map(({ explain }) => explain());
    const next = mistakes[shown]?.explain();
    return next === undefined ? some : [...some, { ...next, ...describeMore(mistakes.length - shown) }];
  });
}

/** What a list says that leaves mistakes out, at the first of them. */
export function describeMore(count: number): Required<Pick<Problem, 'message' | 'hint' | 'count'>> {
  const message = count === 1 ? '1 more mistake is here' : `${count} more mistakes begin here`;
  return { message, hint: 'correct the others first', count };
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
  const total = problems.reduce((sum, { count = 1 }) => sum + count, 0);
  const count = total === 1 ? 'a problem' : `${total} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  const code = problems.every(({ kind }) => kind === 'file') ? 'config-unreadable' : 'config-invalid';
  return new SwitchmasterError(code, `The configuration has ${count}:\n${lines.join('\n')}`, {
    details: { problems },
  });
}
