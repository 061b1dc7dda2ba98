import path from 'node:path';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { importFiles } from '../../lib/import/import.ts';
import type { ImportKind } from '../../lib/import/kind.ts';

type Files = Readonly<Record<string, string>>;

/** The config that the first file of the folder gives, and the remarks as `todo 3 what: why`. */
export async function importText(t: Test, kind: ImportKind, files: Files, given = Object.keys(files)) {
  const folder = t.testdir({ ...files });
  const { files: results, remarks } = await importFiles(
    kind,
    given.map((name) => path.join(folder, name)),
  );
  const lines = remarks.map((one) => `${one.kind} ${one.line} ${one.what}: ${one.why}`.replaceAll(`${folder}/`, ''));
  return { config: parse(results[0]?.text ?? ''), todo: lines.filter((one) => one.startsWith('todo')), lines };
}

export const pools = 'root:\n  listen: 127.0.0.1:22121\n  redis: true\n  servers:\n  - 10.0.0.5:6379:1 shard1\n';
export const smitty = `twemproxy_pool_name: root
twemproxy_config_file: /none/nutcracker.yml
sentinel_ip: 10.0.0.5
sentinel_port: 26379
restart_command: systemctl restart nutcracker
`;
