// Runs real clients through five faults, each through the endpoint and beside it at the Sentinels: npm run test:clients [--
// LIBRARY ...]. Fails if one does not recover, or recovers later through the endpoint.
import { formatAddress } from '../../lib/model/address.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { ClientProcess } from './client-process.ts';
import { faults } from './faults.ts';
import { type ClientProgram, preparePrograms } from './programs.ts';
import { runRounds } from './rounds.ts';
import { type ClientStack, startClientStack } from './stack.ts';
import { findDefect, formatTable, type Row } from './table.ts';

const report = (line: string) => void process.stderr.write(`${line}\n`);

async function measure(sandbox: Sandbox, programs: readonly ClientProgram[]): Promise<readonly Row[]> {
  const stack = await startClientStack(sandbox);
  const pairs = programs.map((program) => startPair(program, { stack, env: sandbox.env }));
  const clients = pairs.flatMap(({ endpoint, sentinels }) => [endpoint, sentinels]);
  const results = await runRounds(stack, { clients, faults, report });
  return pairs.flatMap(({ library, ...pair }) =>
    faults.flatMap((fault) => {
      const find = (client: ClientProcess) => results.find((one) => one.client === client && one.fault === fault);
      const [endpoint, sentinels] = [find(pair.endpoint), find(pair.sentinels)];
      return endpoint === undefined || sentinels === undefined ? [] : [{ fault, library, endpoint, sentinels }];
    }),
  );
}

function startPair(program: ClientProgram, on: { readonly stack: ClientStack; readonly env: NodeJS.ProcessEnv }) {
  const { stack, env } = on;
  const start = (side: string, sentinels: readonly string[]) => {
    const job = { sentinels, name: stack.shard.name, key: `${program.library}:${side}` };
    return ClientProcess.start(program, { job, env });
  };
  return {
    library: program.library,
    endpoint: start('endpoint', stack.endpoints.slice(0, program.endpoints ?? 1).map(formatAddress)),
    sentinels: start(
      'sentinels',
      stack.sentinels.map(({ address }) => formatAddress(address)),
    ),
  };
}

const wanted = process.argv.slice(2);
const programs = await preparePrograms(report);
const sandbox = await Sandbox.open({ name: 'clients' });
try {
  const rows = await measure(
    sandbox,
    programs.filter(({ library }) => wanted.length === 0 || wanted.includes(library)),
  );
  const defects = rows.flatMap((row) => findDefect(row) ?? []);
  process.stdout.write(`${[formatTable(rows), ...defects].join('\n')}\n`);
  process.exitCode = rows.length === 0 || defects.length > 0 ? 1 : 0;
} finally {
  await sandbox.close();
}
