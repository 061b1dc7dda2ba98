import { type Command, InvalidArgumentError } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import { formatAddress } from '../lib/model/address.ts';
import { pathSafe } from '../lib/model/naming.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

export function addWhy(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('why')
    .argument('<master>', "a master's name")
    .description("Explain a master's changes, newest first.")
    .option('-n, --limit <count>', 'how many decisions to show', readCount, 10)
    .option('--replay <path>', "make the decisions of a journal's file again, offline");
  addAskOptions(command)
    .addHelpText('after', '\nExample:\n  $ switchmaster why shard1 --limit 1')
    .action(async (master: string, options: AskOptions & { readonly limit: number; readonly replay?: string }) => {
      const { replay, ...rest } = options;
      done(
        await (replay === undefined
          ? showDecisions({ master, ...rest })
          : showReplay(master, { ...rest, file: replay })),
      );
    });
}

async function showDecisions(
  options: AskOptions & { readonly master: string; readonly limit: number },
): Promise<ExitCode> {
  const { askAboutMaster } = await import('./api-client.ts');
  const { whyAnswer } = await import('../lib/http/shapes.ts');
  const path = `/v1/why/${pathSafe(options.master)}?limit=${options.limit}`;
  const { name, record, story, entries } = await askAboutMaster(options.master, {
    place: { api: options, path },
    shape: whyAnswer,
  });
  if (options.json === true) {
    printJson({ name, record, story, entries });
    return 0;
  }
  const master = record === null ? 'has no record' : `is ${formatAddress(record.master)}, epoch ${record.epoch}`;
  printLine(styled('bold', stripControls(`${name} ${master}`)));
  if (story.length === 0) printLine('The journal has no decision about it.');
  for (const { sentences } of story) {
    const [headline = '', ...rest] = sentences;
    printLine(stripControls(headline));
    for (const sentence of rest) printLine(`  ${stripControls(sentence)}`);
  }
  return 0;
}

const verdictColours = { same: 'green', different: 'red', 'not-replayed': 'yellow' } as const;

/** Exit code 1 where a decision comes out differently now. */
async function showReplay(name: string, options: { readonly file: string; readonly json?: true }): Promise<ExitCode> {
  const { replayJournal } = await import('../lib/bridge/replay.ts');
  const decisions = await replayJournal(options.file, { name });
  if (decisions.length === 0) {
    const hint = 'check the name, and that the file is a journal of journal.file';
    throw new SwitchmasterError('not-found', `${options.file} holds no decision about ${name} (${hint})`);
  }
  const different = decisions.filter(({ verdict }) => verdict === 'different');
  if (options.json === true) printJson({ name, decisions });
  else {
    for (const replayed of decisions) {
      const { at, summary, verdict } = replayed;
      printLine(`${styled(verdictColours[verdict], verdict)} ${stripControls(`${at} ${summary}`)}`);
      if (verdict === 'not-replayed') printLine(stripControls(`  ${replayed.why}`));
      if (verdict !== 'different') continue;
      printLine(stripControls(`  then ${JSON.stringify(replayed.recorded)}`));
      printLine(stripControls(`  now ${JSON.stringify(replayed.decided)}`));
    }
    const cut = decisions.filter(({ verdict }) => verdict === 'not-replayed').length;
    const notReplayed = cut === 0 ? '' : ` ${cut} were cut in the journal and not replayed.`;
    printLine(`${decisions.length} decisions, ${different.length} of them come out differently.${notReplayed}`);
  }
  return different.length === 0 ? 0 : 1;
}

function readCount(value: string): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('It is not a number from 1 to 1000.');
}
