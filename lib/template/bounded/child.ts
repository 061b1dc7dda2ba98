import { type CompiledTemplate, compileTemplate } from '../compile.ts';
import { templateFailure } from '../helper.ts';
import { KeptPasses } from '../kept-passes.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import { attemptWithin } from './attempt.ts';
import { processLimits } from './limits.ts';
import { type FileText, makePacker, packError, type RenderReply, type RenderRequest, unpackError } from './wire.ts';

/* The program of a render process: it compiles one template and renders it, on request of the daemon that started it. */

const answers = new Map<string, Lookup<unknown>>();
const files = new Map<string, FileText>();
const pack = makePacker();
const kept = new KeptPasses();
let compiled: CompiledTemplate | undefined;

function reply(request: Exclude<RenderRequest, { kind: 'answers' | 'file' }>): RenderReply {
  try {
    const work = () => (request.kind === 'compile' ? compile(request) : render(request));
    const late = () => packError(templateFailure(`the template does not end within ${processLimits.hardMs} ms.`));
    return attempt(work)?.value ?? late();
  } catch (thrown) {
    return packError(thrown);
  }
}

/** On a busy machine, the time of the first attempt may pass almost without the processor. */
function attempt<T>(work: () => T): { readonly value: T } | undefined {
  const { hardMs, starvedMs } = processLimits;
  const before = process.cpuUsage();
  const first = attemptWithin(hardMs, work);
  const { user, system } = process.cpuUsage(before);
  return first === undefined && (user + system) / 1_000 < hardMs / 2 ? attemptWithin(starvedMs, work) : first;
}

function compile({ input }: Extract<RenderRequest, { kind: 'compile' }>): RenderReply {
  compiled = compileTemplate(input);
  return { kind: 'compiled', vars: compiled.vars };
}

function render({ world }: Extract<RenderRequest, { kind: 'render' }>): RenderReply {
  if (compiled === undefined) throw new Error('nothing is compiled');
  const before = process.cpuUsage();
  const known: RenderWorld = {
    ...world,
    lookUp: ((_query, id) => answers.get(id) ?? { kind: 'unknown' }) as RenderWorld['lookUp'],
    lookUpFile(path) {
      const file = files.get(path);
      if (file?.kind === 'error') throw unpackError(file);
      return file?.kind === 'text' ? { kind: 'known', value: file.text } : { kind: 'unknown' };
    },
    env: (name) => process.env[name],
  };
  const result = compiled.render(known, kept);
  const { user, system } = process.cpuUsage(before);
  return { kind: 'rendered', ms: (user + system) / 1_000 + result.savedMs, ...pack(result) };
}

process.on('message', (request: RenderRequest) => {
  if (request.kind === 'answers') for (const [id, lookup] of request.answers) answers.set(id, lookup);
  else if (request.kind === 'file') files.set(...request.file);
  else process.send?.(reply(request));
});
process.on('disconnect', () => process.exit());
