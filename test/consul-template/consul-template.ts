import { writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { environment, fileText } from './data.ts';
import type { Outcome } from './outcome.ts';
import type { Pair } from './pair.ts';

/** After this, consul-template waits for a key that does not exist. */
const waitMs = 2_500;

/** Renders pairs with consul-template, a process for each. */
export class ConsulTemplateSide {
  readonly #at: { readonly program: string; readonly consul: string; readonly folder: string };
  #number = 0;

  constructor(at: { readonly program: string; readonly consul: string; readonly folder: string }) {
    this.#at = at;
    // Write the file once: another process could read it while it is written.
    writeFileSync(join(at.folder, 'fixture.txt'), fileText);
  }

  async render({ consulTemplate, delimiters }: Pair): Promise<Outcome> {
    const { program, consul, folder } = this.#at;
    const name = join(folder, String(this.#number++));
    const [source, output, config] = [`${name}.tpl`, `${name}.out`, `${name}.json`];
    const file = join(folder, 'fixture.txt');
    await writeFile(source, consulTemplate.replaceAll('%FILE%', file));
    const { left, right } = delimiters ?? { left: '{{', right: '}}' };
    const template = { source, destination: output, left_delimiter: left, right_delimiter: right };
    await writeFile(config, JSON.stringify({ template: [template] }));
    const args = ['-once', '-log-level=err', `-consul-addr=${consul}`, '-consul-retry-attempts=1'];
    const result = await execa(program, [...args, `-config=${config}`], {
      env: environment,
      reject: false,
      timeout: waitMs,
      forceKillAfterDelay: 500,
    });
    await Promise.all([rm(source), rm(config)]);
    if (result.timedOut) return { kind: 'waits' };
    if (result.failed) return { kind: 'error', message: messageIn(result.stderr, source) };
    return { kind: 'text', text: await readFile(output, 'utf8') };
  }
}

/** The cause without the time, the path and the place. */
function messageIn(stderr: string, source: string): string {
  const line = stderr.split('\n').find((one) => one.includes('[ERR]')) ?? stderr;
  return line.replaceAll(source, 'the template').replace(/^.*?\[ERR\]\s*/, '');
}
