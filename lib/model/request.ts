/** The channel of node:diagnostics_channel on which clients publish the durations of their requests. */
export const requestChannelName = 'switchmaster:request';

/** One answered or failed request. Blocking queries are not published: their duration is not a delay. */
export interface RequestTime {
  readonly server: 'consul' | 'redis' | 'sentinel';
  /** The kind of a query or the name of a command. It has few values and never contains data. */
  readonly operation: string;
  readonly result: 'ok' | 'error';
  readonly durationMs: number;
}
