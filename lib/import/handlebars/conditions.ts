import { mayFail } from './functions.ts';
import { Untranslatable, type Value } from './scope.ts';

/** A missing value and an empty text are both not true. */
export function conditionOf({ code }: Value): string {
  return /^\(default (.*) ""\)$/.exec(code)?.[1] ?? code;
}

/** Whether a call of `and` or `or` in it has arguments that may fail. */
export function isEager(code: string): boolean {
  return /\((?:and|or) /.test(code) && mayFail.test(code);
}

export function refuseEarlyFailure({ code }: Value): void {
  if (isEager(code))
    throw new Untranslatable(
      'and and or compute all their arguments here, and one of them may fail',
      'write blocks within each other: {{#if a}}{{#if b}}',
    );
}
