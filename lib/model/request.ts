/** Where clients publish how long their requests took (node:diagnostics_channel): whoever wants to know subscribes. */
export const requestChannelName = 'switchmaster:request';

/** One request that was answered, or failed. What blocks until there is news is not told: its time is no delay. */
export interface RequestTime {
  readonly server: 'consul' | 'redis' | 'sentinel';
  /** A kind of query, or a command's name: few, and never data. */
  readonly operation: string;
  readonly result: 'ok' | 'error';
  readonly durationMs: number;
}
