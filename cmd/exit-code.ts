/** 0 done, 1 failed, 2 wrong usage or config. */
export type ExitCode = 0 | 1 | 2;
