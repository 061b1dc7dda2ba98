// The bootstrap writes everything to standard error: standard output belongs to the command that runs after it (`npm run
// demo -- --json` prints one object there and nothing else).

/** Prints one line of progress. */
export function say(line) {
  process.stderr.write(`bootstrap: ${line}\n`);
}

/** A failure whose message has a fix. No stack is printed for it. */
export class BootstrapError extends Error {}
