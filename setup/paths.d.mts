/** The folders searched for a program, in order. */
export function searchDirs(env?: NodeJS.ProcessEnv): string[];
