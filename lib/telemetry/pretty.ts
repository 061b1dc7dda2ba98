import { createRequire } from 'node:module';
import type { DestinationStream } from 'pino';

const require = createRequire(import.meta.url);

/** Prints each JSON line for people, coloured on a terminal unless NO_COLOR is set (no-color.org). */
export function pinoPretty(options: {
  readonly stream: DestinationStream;
  readonly environment: NodeJS.ProcessEnv;
}): DestinationStream {
  const colorize = process.stderr.isTTY === true && (options.environment.NO_COLOR ?? '') === '';
  // Most daemons log JSON, and loading this takes a tenth of the CPU time of their start.
  const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
  const format = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    messageKey: 'msg',
    errorLikeObjectKeys: [],
    singleLine: true,
  });
  return {
    write(line) {
      options.stream.write(format(line) ?? line);
    },
  };
}
