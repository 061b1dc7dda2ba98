import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

const folder = join(import.meta.dirname, '../.tools/bin');

interface GoProgram {
  /** With its version. */
  readonly module: string;
  /** Of the file that `go install` writes. */
  readonly name: string;
  readonly logLine: (line: string) => void;
}

/** The path of a program, which the Go client builds the first time. Rejects, with a hint, if it cannot. */
export async function installGoProgram({ module, name, logLine }: GoProgram): Promise<string> {
  const program = join(folder, name);
  if (existsSync(program)) return program;
  logLine(`building ${module} with the Go client, a few minutes the first time`);
  const path = [process.env.PATH ?? '', '/usr/local/go/bin', '/usr/lib/go/bin'].join(delimiter);
  const env = { PATH: path, GOBIN: folder };
  const { failed, code, stderr } = await execa('go', ['install', module], { env, reject: false, timeout: 900_000 });
  if (code === 'ENOENT') {
    throw new Error(`this bench builds ${name} with Go: install it (https://go.dev/doc/install), and run again`);
  }
  if (failed) throw new Error(`\`go install ${module}\` failed:\n${String(stderr).slice(-2_000)}`);
  return program;
}
