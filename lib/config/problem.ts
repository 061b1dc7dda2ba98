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
  /** How to fix it. */
  readonly hint?: string;
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

/** All problems as one error, `config-invalid`, with the list in `details.problems`. */
export function configError(problems: readonly Problem[]): SwitchmasterError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  return new SwitchmasterError('config-invalid', `The configuration has ${count}:\n${lines.join('\n')}`, {
    details: { problems },
  });
}
