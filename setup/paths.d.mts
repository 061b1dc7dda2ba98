/** Programs unpacked for this project only. */
export const toolsDir: string;
/** The folders searched for a program, in order. */
export function searchDirs(env?: NodeJS.ProcessEnv): string[];
/** The full path of an executable file, or undefined. */
export function findProgram(name: string, dirs?: readonly string[]): string | undefined;
