import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Prints each JSON line for people, coloured on a terminal unless NO_COLOR is set (no-color.org). */
export function pinoPretty(options: {
  readonly stream: DestinationStream;
  readonly environment: NodeJS.ProcessEnv;
}): DestinationStream {
  const colorize = process.stderr.isTTY === true && (options.environment.NO_COLOR ?? '') === '';
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
