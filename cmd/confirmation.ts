import { createInterface } from 'node:readline/promises';

/** Whether to act: `yes`, or why not. */
type Confirmation = { readonly kind: 'yes' } | { readonly kind: 'no' } | { readonly kind: 'nobody-to-ask' };

/** Asks for confirmation on the terminal. With `--yes` it does not ask, and without a terminal it cannot. */
async function confirm(question: string, options: { readonly yes?: true }): Promise<Confirmation> {
  if (options.yes === true) return { kind: 'yes' };
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return { kind: 'nobody-to-ask' };
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const stop = new AbortController();
  terminal.on('close', () => stop.abort());
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: stop.signal });
    return /^y(es)?$/i.test(answer.trim()) ? { kind: 'yes' } : { kind: 'no' };
  } catch {
    // Ctrl-C, or the end of the input.
    return { kind: 'no' };
  } finally {
    terminal.close();
  }
}

/** Runs `act` if it is confirmed, and returns the exit code. */
export async function confirmed(
  question: string,
  options: { readonly yes?: true; readonly act: () => Promise<0 | 1> },
): Promise<0 | 1 | 2> {
  const { kind } = await confirm(question, options);
  switch (kind) {
    case 'yes':
      return options.act();
    case 'no':
      process.stderr.write('Nothing was done.\n');
      return 1;
    case 'nobody-to-ask':
      process.stderr.write('Nothing was done: there is no terminal for a confirmation. --yes acts without asking.\n');
      return 2;
  }
}
