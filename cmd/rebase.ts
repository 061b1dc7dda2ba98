import type { Command } from 'commander';
import { formatAddress } from '../lib/model/address.ts';
import { pathSafe } from '../lib/model/naming.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { addOrderOptions, type OrderOptions } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

const help = `
Epochs never decrease within a generation. Rebuilt Sentinels start their epochs again, so that the record seems newer than
their decisions. This command begins a new generation with what a majority of the Sentinels names now, without waiting for
sentinel.rebaseAfter. It fails if they do not agree, or if their master is no master.

Exit codes: 0 done, 1 refused or not confirmed, 2 wrong usage.

Example:
  $ switchmaster rebase shard1`;

export function addRebase(program: Command, done: (code: ExitCode) => void): void {
  const command = program.command('rebase').description('Begin a new generation of a record.');
  addOrderOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: OrderOptions) => {
      done(await rebase(name, options));
    });
}

async function rebase(name: string, options: OrderOptions): Promise<ExitCode> {
  const { askMaster, order, readToken } = await import('./api-client.ts');
  const { rebasedAnswer } = await import('../lib/http/shapes.ts');
  const path = `/v1/masters/${pathSafe(name)}/rebase`;
  const token = await readToken(options.tokenFile);
  const before = (await askMaster(name, options)).record;
  const is = before === null ? 'without a record' : `generation ${before.generation}, epoch ${before.epoch}`;
  return confirmed(stripControls(`Begin a new generation of ${name} (now ${is}) with what the Sentinels say?`), {
    ...(options.yes === true ? { yes: true } : {}),
    act: async () => {
      const answer = await order({ api: options, path, token, timeoutMs: 30_000 }, rebasedAnswer);
      const { generation, epoch, master } = answer.record;
      if (options.json === true) printJson(answer);
      else {
        const version = `generation ${generation}, epoch ${epoch}`;
        printLine(`${styled('bold', stripControls(name))}  ${stripControls(formatAddress(master))}  ${version}`);
      }
      return 0;
    },
  });
}
