export interface Runs {
  readonly numRuns: number;
  readonly seed: number;
  readonly path?: string;
  readonly interruptAfterTimeLimit: number;
}

/**
 * How often a property is tried, and with which values: `runs` times with the same values in each `npm test`. `npm run
 * test:property` tries more (SWITCHMASTER_PROPERTY_RUNS, 5,000). SWITCHMASTER_PROPERTY_SEED chooses other values, and
 * with _PATH repeats a failure.
 */
export function parameters({ runs }: { readonly runs: number }): Runs {
  const env = (name: string) => process.env[`SWITCHMASTER_PROPERTY_${name}`];
  const path = env('PATH');
  return {
    numRuns: Number(env('RUNS') ?? runs),
    seed: Number(env('SEED') ?? 20_260_101),
    ...(path === undefined ? {} : { path }),
    interruptAfterTimeLimit: 3_600_000,
  };
}
