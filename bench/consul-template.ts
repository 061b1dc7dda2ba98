import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

const folder = join(import.meta.dirname, '../.tools/bin');
const program = join(folder, 'consul-template');
const module = 'github.com/hashicorp/consul-template@v0.41.1';

/** The path of consul-template, which the Go client builds the first time. Rejects, with a hint, if it cannot. */
export async function installConsulTemplate(logLine: (line: string) => void): Promise<string> {
  if (existsSync(program)) return program;
  logLine(`building ${module} with the Go client, a few minutes the first time`);
  const path = [process.env.PATH ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter);
  const env = { PATH: path, GOBIN: folder };
  const { failed, code, stderr } = await execa('go', ['install', module], { env, reject: false, timeout: 900_000 });
  if (code === 'ENOENT') {
    throw new Error(
      'this bench builds consul-template with Go: install it (https://go.dev/doc/install), and run again',
    );
  }
  if (failed) throw new Error(`\`go install ${module}\` failed:\n${String(stderr).slice(-2_000)}`);
  return program;
}

export async function consulTemplateVersion(path: string): Promise<string> {
  const { stdout, stderr } = await execa(path, ['-version'], { timeout: 10_000 });
  return /v[\d.]+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}
