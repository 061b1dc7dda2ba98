import type { Path } from './problem.ts';
import type { Resolution } from './resolution.ts';

/** What commands and templates get as it is: they may have a meaning of their own for it. */
const passedOn = new Set(['vars', 'contents', 'custom', 'check', 'reload', 'command', 'fallback', 'options']);

/**
 * Refuses `${NAME}`, `$NAME` and `~/` in texts of the config: nothing replaces them, so the daemon would use a host or a file
 * of that name.
 */
export function refuseVariables(resolution: Resolution, value: unknown, at: Path = []): void {
  if (typeof value === 'string') refuseVariable(resolution, value, at);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(key) : key;
    if (typeof step === 'number' || !passedOn.has(step)) refuseVariables(resolution, inner, [...at, step]);
  }
}

function refuseVariable(resolution: Resolution, text: string, at: Path): void {
  const [found] = /\$\{\w[^}]*\}|^\$[A-Za-z_]\w*|^~\w*(?=\/)/.exec(text) ?? [];
  if (found === undefined) return;
  resolution.report(
    { at },
    {
      message: `${found} is not replaced in the config`,
      hint: 'write the value itself, or leave the key out where a variable sets it: docs/reference/config.md lists them',
    },
  );
}
