import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapError, say } from './log.mjs';
import { toolsDir } from './paths.mjs';

const lockFile = join(toolsDir, 'bootstrap.pid');
const pollMs = 250;
const waitMs = 1_200_000;

/** Runs `work` while no other bootstrap of this checkout does. Takes over a lock whose owner is dead. */
export async function alone(work) {
  mkdirSync(toolsDir, { recursive: true });
  const startedAt = Date.now();
  for (let announced = false; !take(); announced = true) {
    if (Date.now() - startedAt > waitMs)
      throw new BootstrapError(`waited too long for ${lockFile}; remove it if it is stale`);
    if (!announced) say('waiting for another bootstrap of this folder to finish');
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function take() {
  // The lock appears by this link, with its owner in it.
  const claim = `${lockFile}.${process.pid}`;
  try {
    writeFileSync(claim, String(process.pid));
    linkSync(claim, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isAlive(readOwner())) rmSync(lockFile, { force: true });
    return false;
  } finally {
    rmSync(claim, { force: true });
  }
}

function readOwner() {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return Number.NaN;
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
