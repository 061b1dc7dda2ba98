// Debian starts a service as soon as its package is installed, but the bootstrap must not start a redis-server on 6379. So
// while apt works, policy-rc.d exits with 101, the documented way to have invoke-rc.d start nothing. The former policy is
// restored afterwards, by the next run if this one is killed.
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { run } from './command.mjs';
import { findProgram } from './paths.mjs';

const policyFile = '/usr/sbin/policy-rc.d';
const savedFile = `${policyFile}.before-switchmaster`;
const marker = 'placed by switchmaster/setup while apt runs';

/** Runs `work` while no service may be started. */
export async function withServicesHeld(work) {
  restorePolicy();
  if (existsSync(policyFile)) renameSync(policyFile, savedFile);
  try {
    writeFileSync(policyFile, `#!/bin/sh\n# ${marker}\nexit 101\n`);
    chmodSync(policyFile, 0o755);
    return await work();
  } finally {
    restorePolicy();
  }
}

/** True when a run that was killed left its policy on the machine. */
export function policyLeft() {
  return process.getuid?.() === 0 && (existsSync(savedFile) || isOurs());
}

/** Restores the machine's own policy, if an earlier run left its own. Otherwise it does nothing. */
export function restorePolicy() {
  if (isOurs()) rmSync(policyFile);
  if (existsSync(savedFile)) renameSync(savedFile, policyFile);
}

/** Keeps freshly installed services from starting at the next boot either. */
export async function disableServices(names) {
  const systemctl = findProgram('systemctl');
  if (systemctl === undefined) return;
  for (const name of names) {
    if (!existsSync(`/lib/systemd/system/${name}.service`)) continue;
    await run([systemctl, '--quiet', 'disable', name], { timeoutMs: 60_000 }).catch(() => undefined);
  }
}

function isOurs() {
  return existsSync(policyFile) && readFileSync(policyFile, 'utf8').includes(marker);
}
