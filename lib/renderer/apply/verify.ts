import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import { parseAddress } from '../../model/address.ts';
import type { ProbeSpec, VerifySpec } from '../../model/template-spec.ts';
import { type RunInput, runCommand } from './command.ts';
import { type Attempt, probeHttp, probeRedis, probeTcp, readIdentity } from './probe.ts';

const pauseMs = 25;
/** Node's timers may fire a millisecond early. */
const timerSlackMs = 2;

/** Repeats the probes until all succeed. Throws `verify-failed` with the last reason at the deadline. */
export async function verifyConsumer(input: {
  readonly verify: VerifySpec;
  /** `host:port` of each master, by name. */
  readonly masters: ReadonlyMap<string, string>;
  readonly file: string;
  readonly signal: AbortSignal;
  /** See {@link RunInput.shells}. */
  readonly shells?: RunInput['shells'];
}): Promise<void> {
  const { verify, signal } = input;
  const { deadlineMs } = verify;
  const endMs = performance.now() + deadlineMs;
  let remaining = verify.probes;
  let reason: SwitchmasterError | undefined;
  for (;;) {
    try {
      for (const probe of remaining) {
        // AbortSignal.timeout takes whole numbers only.
        const timeoutMs = Math.max(1, Math.ceil(endMs - performance.now()));
        await runProbe({ ...input, probe, attempt: { timeoutMs, signal } });
        remaining = remaining.slice(1);
      }
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      // The error of an attempt that the deadline ended says less than the one before it.
      if (reason === undefined || performance.now() < endMs - timerSlackMs)
        reason = SwitchmasterError.from(thrown, 'verify-failed');
      if (performance.now() + pauseMs >= endMs) {
        const message = `It did not work within ${deadlineMs} ms: ${reason.message}`;
        throw new SwitchmasterError('verify-failed', message, { cause: reason, details: { ...reason.details } });
      }
    }
    await delay(pauseMs, undefined, { signal });
  }
}

async function runProbe(input: {
  probe: ProbeSpec;
  masters: ReadonlyMap<string, string>;
  file: string;
  attempt: Attempt;
  shells?: RunInput['shells'];
}): Promise<void> {
  const { probe, attempt, shells } = input;
  switch (probe.kind) {
    case 'tcp':
      return probeTcp(probe.address, attempt);
    case 'http':
      return probeHttp(probe.url, attempt);
    case 'redis':
      await probeRedis(probe.address, probe, attempt);
      if (probe.master !== undefined) await probeMaster({ ...input, probe, name: probe.master });
      return;
    case 'command': {
      const command = { ...probe.command, timeoutMs: attempt.timeoutMs };
      await runCommand({ command, file: input.file, signal: attempt.signal, onAbort: 'kill', shells });
    }
  }
}

/** The process that answers through the proxy must be the one at the record's address, and a master. */
async function probeMaster(input: {
  probe: ProbeSpec & { kind: 'redis' };
  name: string;
  masters: ReadonlyMap<string, string>;
  attempt: Attempt;
}): Promise<void> {
  const { probe, name, attempt } = input;
  const address = parseAddress(input.masters.get(name) ?? '');
  if (address === undefined) {
    throw new SwitchmasterError('verify-failed', `The template reads no master "${name}" to compare with.`);
  }
  const through = await readIdentity(probe.address, probe, attempt);
  // TLS ends at the proxy. The password passes through to Redis.
  const { tls: _, ...access } = probe;
  const direct = await readIdentity(address, access, attempt);
  if (through.role !== 'master') {
    throw new SwitchmasterError('verify-failed', `Through the proxy a ${through.role} answers for master "${name}".`);
  }
  if (through.runId !== direct.runId) {
    throw new SwitchmasterError('verify-failed', `Through the proxy another Redis answers than master "${name}".`);
  }
}
