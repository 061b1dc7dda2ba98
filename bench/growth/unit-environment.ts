import { readFileSync } from 'node:fs';

const unit = new URL('../../deploy/systemd/switchmaster.service', import.meta.url);

/** What the unit of systemd sets for the daemon: nearly all users start it so. */
export function readUnitEnvironment(): Record<string, string> {
  const lines = readFileSync(unit, 'utf8').matchAll(/^Environment=(\w+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}
