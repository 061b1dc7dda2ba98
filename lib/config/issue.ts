import type { z } from 'zod';
import { hintForKey } from './hint.ts';
import type { MergedConfig } from './merge.ts';
import { formatPath, type Path, type Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** The value that a schema refuses: its path, and the config that contains it. */
export interface Refused {
  readonly at: Path;
  readonly config: MergedConfig;
}

/** What explains each issue of a schema as a problem, with its place in the config files. */
export function explainIssues(issues: readonly Issue[], refused: Refused): readonly (() => Problem)[] {
  return issues.flatMap((issue) => explainIssue(issue, refused));
}

function explainIssue(issue: Issue, refused: Refused): readonly (() => Problem)[] {
  const { config } = refused;
  const at: Path = [...refused.at, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => () => ({
      ...placed({ at: [...at, key], config }, 'key'),
      message: 'unknown key',
      hint: hintForKey(key, at),
    }));
  }
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue.errors);
    if (branch !== undefined) return explainIssues(branch, { at, config });
    return [() => ({ ...placed({ at, config }), message: `must be ${describeBranches(issue.errors)}` })];
  }
  const hint = issue.code === 'custom' ? (issue.params?.hint as string | undefined) : undefined;
  return [() => ({ ...placed({ at, config }), message: messageOf(issue), ...(hint === undefined ? {} : { hint }) })];
}

function placed({ at, config }: Refused, what: 'value' | 'key' = 'value'): Pick<Problem, 'path' | 'place'> {
  const place = config.place(at, what);
  return { path: formatPath(at), ...(place === undefined ? {} : { place }) };
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? `is missing: ${article(issue.expected)}`
        : typeMessage(issue);
    case 'invalid_value':
      return `must be one of ${issue.values.map((value) => String(value)).join(', ')}`;
    default:
      return issue.message;
  }
}

function typeMessage(issue: Issue & { code: 'invalid_type' }): string {
  const received = /received (\S+)$/.exec(issue.message)?.[1];
  return `must be ${article(issue.expected)}${received === undefined ? '' : `, not ${article(received)}`}`;
}

const words: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

function article(type: string): string {
  return words[type] ?? `a ${type}`;
}

/** The one alternative whose type matches the value; undefined if none or several match. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const right = branches.filter((branch) => branch.every((issue) => issue.path.length > 0 || !isKindIssue(issue)));
  return right.length === 1 ? right[0] : undefined;
}

function isKindIssue(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function describeBranches(branches: readonly (readonly Issue[])[]): string {
  const kinds = branches.flatMap((branch) =>
    branch.flatMap((issue) => {
      if (issue.path.length > 0) return [];
      if (issue.code === 'invalid_type') return [article(issue.expected)];
      return issue.code === 'invalid_value' ? issue.values.map(String) : [];
    }),
  );
  return [...new Set(kinds)].join(' or ');
}
