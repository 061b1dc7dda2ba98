// Loaded with --import by the Node processes of a test run. Node strips the types of each file in each process, which
// takes half of a short process's CPU time; this loads what test/run.ts has stripped before. Other files load as usual.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { strippedFile } from './stripped-file.mjs';

registerHooks({
  load(url, context, nextLoad) {
    const stripped = url.startsWith('file:') && url.endsWith('.ts') ? readStripped(url) : undefined;
    return stripped === undefined ? nextLoad(url, context) : { format: 'module', source: stripped, shortCircuit: true };
  },
});

function readStripped(url) {
  try {
    return readFileSync(strippedFile(readFileSync(new URL(url), 'utf8')), 'utf8');
  } catch {
    return undefined;
  }
}
