import type { Command } from 'commander';
import { formatAddress } from '../lib/model/address.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { apiOption, jsonOption, tokenOption, yesOption } from './option.ts';
import { harmless, printJson, printLine, styled } from './terminal.ts';

interface RebaseOptions {
  readonly api: string;
  readonly tokenFile?: string;
  readonly yes?: true;
  readonly json?: true;
}

const help = `
Epochs never fall within a generation. After Sentinels were rebuilt, their epochs begin again, and the record is taken
for newer than they are: this begins a new generation with what a majority of them says now, without waiting for
sentinel.rebaseAfter. It is refused where they do not agree, or where their master is none.

Exit codes: 0 done, 1 refused or not wanted, 2 wrong usage.

Example:
  $ switchmaster rebase shard1`;

export function addRebase(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('rebase')
    .argument('<master>', "a master's name")
    .description('Begin a new generation of a record by hand.')
    .addOption(tokenOption())
    .addOption(yesOption())
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (name: string, options: RebaseOptions) => {
      done(await rebase(name, options));
    });
}

async function rebase(name: string, options: RebaseOptions): Promise<ExitCode> {
  const { ask, order, readToken } = await import('./api-client.ts');
  const { masterAnswer, rebasedAnswer } = await import('../lib/http/shapes.ts');
  const { api } = options;
  const path = `/v1/masters/${encodeURIComponent(name)}`;
  const token = await readToken(options.tokenFile);
  const before = (await ask({ api, path }, masterAnswer)).record;
  const is = before === null ? 'without a record' : `generation ${before.generation}, epoch ${before.epoch}`;
  return confirmed(harmless(`Begin a new generation of ${name} (now ${is}) with what the Sentinels say?`), {
    ...(options.yes === true ? { yes: true } : {}),
    act: async () => {
      const answer = await order({ api, path: `${path}/rebase`, token, timeoutMs: 30_000 }, rebasedAnswer);
      const { generation, epoch, master } = answer.record;
      if (options.json === true) printJson(answer);
      else {
        const version = `generation ${generation}, epoch ${epoch}`;
        printLine(`${styled('bold', harmless(name))}  ${harmless(formatAddress(master))}  ${version}`);
      }
      return 0;
    },
  });
}
