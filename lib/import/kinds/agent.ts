import { toArgv } from '../command.ts';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { ImportOutput } from '../output.ts';
import type { RemarkText } from '../remark.ts';
import { poolsEntry, readPools, type TwemproxyPool } from './twemproxy.ts';

/** What an agent beside twemproxy is configured with. */
export interface AgentSettings {
  readonly file: ImportFile;
  readonly host: string;
  readonly port: string;
  readonly proxyConfig: string;
  readonly command: string;
  /** The pool that it keeps; undefined for all. */
  readonly pool: string | undefined;
  /** Where the host and the path of twemproxy's config stand. */
  readonly lines: { readonly host: number; readonly proxyConfig: number };
  /** The setting with that path. */
  readonly pathSetting: string;
  /** What is not known for sure. */
  readonly doubts?: readonly RemarkText[];
}

/** Both agents that rewrite twemproxy's config in place: the same config replaces them. */
export async function importAgent(
  settings: AgentSettings,
  { files, read }: { readonly files: readonly ImportFile[]; readonly read: ReadFile },
): Promise<ImportResult> {
  const { file, host, port, proxyConfig, command, lines, pathSetting, doubts = [] } = settings;
  const output = new ImportOutput();
  for (const doubt of doubts) output.leave(file.path, doubt);
  const given = files.find((one) => one !== file);
  const line = lines.proxyConfig;
  const found = given ?? (await output.read(read, { what: proxyConfig, path: proxyConfig, from: file.path, line }));
  output.expectAbsolute(file.path, { line, what: pathSetting, path: proxyConfig });
  const sentinel = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const sections = { sentinel: { addresses: [sentinel] } };
  output.differs(file.path, {
    line: lines.host,
    what: sentinel,
    why: 'one Sentinel alone is asked',
    advice: 'list all Sentinels in sentinel.addresses, so that a majority decides',
  });
  if ('why' in found) {
    const advice = 'import again with that file as the second one';
    output.leave(file.path, { line, what: proxyConfig, why: found.why, advice });
    return output.finish(sections);
  }
  const { path } = found;
  const kept = keptPools(settings, { pools: readPools(found, output), path, output });
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
