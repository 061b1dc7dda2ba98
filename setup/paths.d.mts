/** Programs unpacked for this project only. */
export const toolsDir: string;
/** The folders searched for a program, in order. */
export function searchDirs(env?: NodeJS.ProcessEnv): string[];
