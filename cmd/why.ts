import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { SwitchmasterError } from '../lib/errors.ts';
import type { whyAnswer } from '../lib/http/shapes.ts';
import { formatAddress } from '../lib/model/address.ts';
import { pathSafe } from '../lib/model/naming.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

interface WhyOptions extends AskOptions {
  readonly limit: number;
  readonly verbose?: true;
  readonly replay?: string;
}

export function addWhy(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('why')
    .argument('<name>', 'the name of a master or a cluster')
    .description('Explain the changes of a master or a cluster, newest last.')
    .option('-n, --limit <count>', 'how many failovers and decisions to show', readCount, 10)
    .option('-v, --verbose', 'show every decision, with its hints, votes and times')
    .option('--replay <path>', "make the decisions of a journal's file again, offline");
  addAskOptions(command)
    .addHelpText('after', '\nExample:\n  $ switchmaster why shard1 --limit 1')
    .action(async (master: string, options: WhyOptions) => {
      const { replay, ...rest } = options;
      done(
        await (replay === undefined
          ? showDecisions({ master, ...rest })
          : showReplay(master, { ...rest, file: replay })),
      );
    });
}

async function showDecisions(
  options: AskOptions & { readonly master: string; readonly limit: number; readonly verbose?: true },
): Promise<ExitCode> {
  const { askAboutMaster } = await import('./api-client.ts');
  const { whyAnswer } = await import('../lib/http/shapes.ts');
  const path = `/v1/why/${pathSafe(options.master)}?limit=${options.limit}`;
  const answer = await askAboutMaster(options.master, { place: { api: options, path }, shape: whyAnswer });
  if (options.json === true) {
    printJson(answer);
    return 0;
  }
  const { name, record, cluster } = answer;
  const known = cluster === null ? 'has no record' : `is a Redis Cluster, epoch ${cluster.epoch}`;
  const master = record === null ? known : `is ${formatAddress(record.master)}, epoch ${record.epoch}`;
  printLine(styled('bold', stripControls(`${name} ${master}`)));
  if (answer.maintenance !== null) printLine(styled('yellow', stripControls(answer.maintenance.text)));
  for (const line of drawFailovers(answer)) printLine(line);
  for (const line of options.verbose === true ? drawDecisions(answer) : drawOthers(answer)) printLine(line);
  return 0;
}

type Why = z.output<typeof whyAnswer>;

/** The journal of this node has only what its own bridge wrote. */
function drawFailovers({ failovers, record }: Why): readonly string[] {
  const drawn = failovers.flatMap(({ lines: [headline = '', ...rest] }) => [
    '',
    styled('bold', stripControls(headline)),
    ...rest.map((line) => `  ${stripControls(line)}`),
  ]);
  const last = failovers.at(-1);
  const known = record === null || record.previous === null || last?.epoch === record.epoch;
  const elsewhere = `The last change, ${record?.changedAt}, was written by ${record?.changedBy}: ask switchmaster why there.`;
  return [...drawn, ...(known ? [] : ['', stripControls(elsewhere)])];
}

function drawOthers({ others, failovers }: Why): readonly string[] {
  if (others.length === 0 && failovers.length === 0) return ['The journal has no decision about it.'];
  if (others.length === 0) return [];
  const lines = others.toReversed().map(({ at, count, kind, summary }) => {
    const times = count === 1 ? '' : ` (${count} times)`;
    return stripControls(`  ${at} ${words[kind]}: ${summary}${times}`);
  });
  return ['', 'Beside that (-v shows every decision):', ...lines];
}

const words = { applied: 'done', fenced: 'superseded', held: 'held', failed: 'failed' } as const;

function drawDecisions({ story }: Why): readonly string[] {
  if (story.length === 0) return ['The journal has no decision about it.'];
  const lines = story
    .toReversed()
    .flatMap(({ sentences: [headline = '', ...rest] }) => [
      stripControls(headline),
      ...rest.map((sentence) => `  ${stripControls(sentence)}`),
    ]);
  return ['', 'Every decision, newest last:', ...lines];
}

const verdictColours = { same: 'green', different: 'red', 'not-replayed': 'yellow' } as const;

/** Exit code 1 if a decision comes out differently now. */
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
