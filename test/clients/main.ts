// Runs real clients through five faults, each through the endpoint and beside it at the Sentinels, and then through endpoints
// with a password and TLS: npm run test:clients [-- LIBRARY ...]. Fails if one does not recover, or recovers later through the
// endpoint, or does not get in with the right password.
import { formatAddress } from '../../lib/model/address.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { ClientProcess } from './client-process.ts';
import { faults } from './faults.ts';
import { type ClientProgram, preparePrograms } from './programs.ts';
import { runRounds } from './rounds.ts';
import { checkSecured, findSecuredDefect } from './secured.ts';
import { type ClientStack, startClientStack } from './stack.ts';
import { findDefect, formatTable, type Row } from './table.ts';

const report = (line: string) => void process.stderr.write(`${line}\n`);

async function measure(
  programs: readonly ClientProgram[],
  { sandbox, stack }: { readonly sandbox: Sandbox; readonly stack: ClientStack },
): Promise<readonly Row[]> {
  const pairs = programs.map((program) => startPair(program, { stack, env: sandbox.env }));
  const clients = pairs.flatMap(({ endpoint, sentinels }) => [endpoint, sentinels]);
  const results = await runRounds(stack, { clients, faults, report });
  return pairs.flatMap(({ library, stepMs, ...pair }) =>
    faults.flatMap((fault) => {
      const find = (client: ClientProcess) => results.find((one) => one.client === client && one.fault === fault);
      const [endpoint, sentinels] = [find(pair.endpoint), find(pair.sentinels)];
      return endpoint === undefined || sentinels === undefined ? [] : [{ fault, library, stepMs, endpoint, sentinels }];
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
    stepMs: program.stepMs ?? 0,
    endpoint: start('endpoint', stack.endpoints.slice(0, program.endpoints ?? 1).map(formatAddress)),
    sentinels: start(
      'sentinels',
      stack.sentinels.map(({ address }) => formatAddress(address)),
    ),
  };
}

const wanted = process.argv.slice(2);
const all = await preparePrograms(report);
const programs = all.filter(({ library }) => wanted.length === 0 || wanted.includes(library));
const sandbox = await Sandbox.open({ name: 'clients' });
try {
  const stack = await startClientStack(sandbox);
  const rows = await measure(programs, { sandbox, stack });
  report('password and TLS');
  const secured = await checkSecured(sandbox, { stack, programs });
  const defects = [
    ...rows.flatMap((row) => findDefect(row) ?? []),
    ...secured.flatMap((one) => findSecuredDefect(one) ?? []),
  ];
  const ways = secured.map(({ library, way }) => `${library}: ${way}`);
  process.stdout.write(`${[formatTable(rows), ...ways, ...defects].join('\n')}\n`);
  process.exitCode = rows.length === 0 || defects.length > 0 ? 1 : 0;
} finally {
  await sandbox.close();
}
