import { formatAddress } from '../../lib/model/address.ts';
import { makeLoopbackCertificate } from '../integration/support/loopback-certificate.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { ClientProcess } from './client-process.ts';
import type { ClientProgram } from './programs.ts';
import type { ClientStack } from './stack.ts';

const password = 'right';
const withinMs = 30_000;

/** How a program that has the right password got in, and whether one with a wrong password did. */
export interface SecuredResult {
  readonly library: string;
  readonly way: 'password' | 'TLS and password';
  readonly isIn: boolean;
  readonly isWrongIn: boolean;
  /** The last line of the program that has the right password. */
  readonly error: string | undefined;
}

/** Lets each program write through an endpoint that asks for a password, with TLS where the program has it. */
export async function checkSecured(
  sandbox: Sandbox,
  on: { readonly stack: ClientStack; readonly programs: readonly ClientProgram[] },
): Promise<readonly SecuredResult[]> {
  const { certFile, keyFile } = makeLoopbackCertificate(sandbox);
  const tls = { certFile, keyFile };
  const [plain, secure] = [await start(sandbox, { on: on.stack }), await start(sandbox, { on: on.stack, tls })];
  return Promise.all(
    on.programs
      .filter(({ access }) => access !== 'none')
      .map(async (program) => {
        const isTls = program.access === 'tls';
        const sentinels = [isTls ? secure : plain];
        const access = { sentinels, name: on.stack.shard.name, ...(isTls ? { caFile: certFile } : {}) };
        const [right, wrong] = ['right', 'wrong'].map((given) =>
          ClientProcess.start(program, {
            job: { ...access, key: `secured:${program.library}:${given}`, password: given },
            env: sandbox.env,
          }),
        );
        if (right === undefined || wrong === undefined) throw new Error('there are two programs');
        const isIn = await waitFor('a write', () => right.acknowledged.size > 0, { timeoutMs: withinMs }).catch(
          () => false,
        );
        const isWrongIn = wrong.acknowledged.size > 0;
        await Promise.all([right.stop(), wrong.stop()]);
        const way = isTls ? 'TLS and password' : 'password';
        return { library: program.library, way, isIn, isWrongIn, error: right.errors.at(-1) } as const;
      }),
  );
}

export function findSecuredDefect({ library, way, isIn, isWrongIn, error }: SecuredResult): string | undefined {
  if (!isIn) return `${way}: ${library} does not write: ${error}`;
  return isWrongIn ? `${way}: ${library} writes with a wrong password` : undefined;
}

async function start(
  sandbox: Sandbox,
  { on, tls }: { readonly on: ClientStack; readonly tls?: { readonly certFile: string; readonly keyFile: string } },
): Promise<string> {
  // The certificate names this address.
  const listen = formatAddress({ host: '127.0.0.1', port: (await sandbox.address()).port });
  const passwordFile = sandbox.write('endpoint.password', `${password}\n`);
  const sentinelEndpoint = { listen, passwordFile, ...(tls === undefined ? {} : { tls }) };
  const name = tls === undefined ? 'endpoint-password' : 'endpoint-tls';
  await sandbox.switchmaster({ name, config: { consul: { address: on.consul.url }, sentinelEndpoint } });
  return listen;
}
