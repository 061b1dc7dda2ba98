// Loaded with --import by the Node processes of a test run. Node strips the types of each file in each process, which
// takes half of a short process's CPU time; this loads what test/run.ts has stripped before. It also resolves the imports
// between these files, of which a daemon has hundreds, without reading the disk. Other files load as usual.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { strippedFile } from './stripped-file.mjs';

const domain = new URL('domain.mjs', import.meta.url);

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (!/^\.{1,2}\/.*\.ts$/.test(specifier) || !context.parentURL?.startsWith('file:'))
      return nextResolve(specifier, context);
    return { url: new URL(specifier, context.parentURL).href, shortCircuit: true };
  },
  load(url, context, nextLoad) {
    // tap's own takes a quarter of the CPU time of a test process.
    if (url.endsWith('/async-hook-domain/dist/mjs/index.js'))
      return { format: 'module', source: readFileSync(domain, 'utf8'), shortCircuit: true };
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
