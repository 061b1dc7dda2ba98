import { type CompiledTemplate, compileTemplate } from '../compile.ts';
import { templateFailure } from '../helper.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import { processLimits } from './limits.ts';
import { attemptWithin } from './time-limit.ts';
import { makePacker, packError, type RenderReply, type RenderRequest, unpackError } from './wire.ts';

/* The program of a render process: it compiles one template and renders it, on request of the daemon that started it. */

const answers = new Map<string, Lookup<unknown>>();
const pack = makePacker();
let compiled: CompiledTemplate | undefined;

function reply(request: Exclude<RenderRequest, { kind: 'answers' }>): RenderReply {
  try {
    const work = () => (request.kind === 'compile' ? compile(request) : render(request));
    const late = () => packError(templateFailure(`the template does not end within ${processLimits.hardMs} ms.`));
    return attemptWithin(processLimits.hardMs, work)?.value ?? late();
  } catch (thrown) {
    return packError(thrown);
  }
}

function compile({ input }: Extract<RenderRequest, { kind: 'compile' }>): RenderReply {
  compiled = compileTemplate(input);
  return { kind: 'compiled', vars: compiled.vars };
}

function render({ world, files }: Extract<RenderRequest, { kind: 'render' }>): RenderReply {
  if (compiled === undefined) throw new Error('nothing is compiled');
  const before = process.cpuUsage();
  const result = compiled.render({
    ...world,
    lookUp: ((_query, id) => answers.get(id) ?? { kind: 'unknown' }) as RenderWorld['lookUp'],
    lookUpFile(path) {
      const file = files.get(path);
      if (file?.kind === 'error') throw unpackError(file);
      return file === undefined ? { kind: 'unknown' } : { kind: 'known', value: file.text };
    },
    env: (name) => process.env[name],
  });
  const { user, system } = process.cpuUsage(before);
  return { kind: 'rendered', ms: (user + system) / 1_000, ...pack(result) };
}

process.on('message', (request: RenderRequest) => {
  if (request.kind === 'answers') for (const [id, lookup] of request.answers) answers.set(id, lookup);
  else process.send?.(reply(request));
});
process.on('disconnect', () => process.exit());
