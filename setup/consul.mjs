import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { unpackFromDebian } from './archive.mjs';
import { BootstrapError } from './log.mjs';
import { findProgram, toolsBinDir, toolsDir } from './paths.mjs';

/** True when there is a Consul, on PATH or unpacked earlier. */
export function hasConsul() {
  return findProgram('consul') !== undefined;
}

/**
 * Unpacks the last Consul that Debian has under a free licence (1.8.7, in bullseye). Later releases of Debian have none.
 */
export async function unpackConsul() {
  const rootDir = join(toolsDir, 'consul');
  const partial = `${rootDir}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    await unpackFromDebian({ suites: ['bullseye'], packages: ['consul'], rootDir: partial, withDependencies: 'none' });
    rmSync(rootDir, { recursive: true, force: true });
    renameSync(partial, rootDir);
    mkdirSync(toolsBinDir, { recursive: true });
    rmSync(join(toolsBinDir, 'consul'), { force: true });
    symlinkSync('../consul/usr/bin/consul', join(toolsBinDir, 'consul'));
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new BootstrapError(
      `consul is not on PATH and could not be fetched from Debian bullseye:\n${reason}\n` +
        'Put a consul binary (1.8 or later) on PATH, then start again.',
    );
  }
}
