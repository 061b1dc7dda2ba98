import { execa } from 'execa';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import { installGoProgram } from './go-program.ts';

const module = 'github.com/hashicorp/consul-template@v0.41.1';

/** The path of consul-template, which the Go client builds the first time. Rejects, with a hint, if it cannot. */
export function installConsulTemplate(logLine: (line: string) => void): Promise<string> {
  return installGoProgram({ module, name: 'consul-template', logLine });
}

interface ConsulTemplateJob {
  readonly name: string;
  readonly program: string;
  readonly consul: ConsulAgent;
  /** In Go's syntax. */
  readonly text: string;
  readonly destination: string;
  /** What its reload touches. */
  readonly marker: string;
  /** In addition to the defaults, for the whole program. */
  readonly settings?: object;
}

/** Starts consul-template with one template. It ends with the sandbox. */
export function launchConsulTemplate(sandbox: Sandbox, job: ConsulTemplateJob): void {
  const { name, program, text, destination, marker } = job;
  const config = {
    consul: { address: job.consul.url.replace('http://', '') },
    log_level: 'warn',
    template: [{ source: sandbox.write(`${name}.ctmpl`, text), destination, exec: { command: ['touch', marker] } }],
    ...job.settings,
  };
  const file = sandbox.write(`${name}.json`, JSON.stringify(config));
  void sandbox.program({ name, argv: [program, '-config', file], ready: async () => true }).launch();
}

export async function consulTemplateVersion(path: string): Promise<string> {
  const { stdout, stderr } = await execa(path, ['-version'], { timeout: 10_000 });
  return /v[\d.]+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}
