import { toArgv } from '../command.ts';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { ImportOutput } from '../output.ts';
import type { RemarkText } from '../remark.ts';
import { poolsEntry, readPools, type TwemproxyPool } from './twemproxy.ts';

/** What an agent beside twemproxy is configured with. */
export interface AgentSettings {
  readonly file: ImportFile;
  readonly sentinel: string;
  readonly proxyConfig: string;
  readonly command: string;
  /** The pool that it keeps; undefined for all. */
  readonly pool: string | undefined;
  /** What is not known for sure. */
  readonly doubts?: readonly RemarkText[];
}

/** Both agents that rewrite twemproxy's config in place: the same config replaces them. */
export async function importAgent(
  settings: AgentSettings,
  { files, read }: { readonly files: readonly ImportFile[]; readonly read: ReadFile },
): Promise<ImportResult> {
  const { file, sentinel, proxyConfig, command, doubts = [] } = settings;
  const output = new ImportOutput();
  for (const doubt of doubts) output.leave(file.path, doubt);
  const others = files.filter((one) => one !== file);
  const text =
    others[0]?.text ?? (await output.read(read, { what: proxyConfig, path: proxyConfig, from: file.path, line: 1 }));
  const path = others[0]?.path ?? proxyConfig;
  const sections = { sentinel: { addresses: [sentinel] } };
  output.differs(file.path, {
    line: 1,
    what: sentinel,
    why: 'one Sentinel alone is asked',
    advice: 'list all Sentinels in sentinel.addresses, so that a majority decides',
  });
  if (text === undefined) {
    const advice = 'import again with that file as the second one';
    output.leave(file.path, { line: 1, what: proxyConfig, why: `${proxyConfig} cannot be read`, advice });
    return output.finish(sections);
  }
  const kept = keptPools(settings, { pools: readPools({ path, text }, output), path, output });
  const masters = [...new Set(kept.flatMap((one) => one.masters))];
  return output.finish({
    sentinel: { ...sections.sentinel, ...(masters.length === 0 ? {} : { masters }) },
    ...(kept.length === 0
      ? {}
      : { templates: [poolsEntry(kept, { destination: proxyConfig, reload: toArgv(command) })] }),
  });
}

function keptPools(
  { file, pool }: AgentSettings,
  {
    pools,
    path,
    output,
  }: { readonly pools: readonly TwemproxyPool[]; readonly path: string; readonly output: ImportOutput },
): readonly TwemproxyPool[] {
  const kept = pools.filter((one) => pool === undefined || one.name === pool);
  for (const { name, line } of pools.filter((one) => !kept.includes(one))) {
    const advice = 'give its servers the names of masters, or keep a twemproxy of its own for it';
    output.leave(path, { line, what: name, why: `the agent does not keep the pool ${name}`, advice });
  }
  if (kept.length === 0) {
    const why = pool === undefined ? `${path} has no pool for Redis` : `${path} has no pool ${pool} for Redis`;
    output.leave(file.path, { line: 1, what: pool ?? path, why, advice: 'name a pool of that file' });
  }
  return kept;
}
