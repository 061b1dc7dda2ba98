// The minimal program that keeps a file, for bench/render.ts to compare with. Its parent sends the job, and then names each
// service that changes next. It blocks on that service alone, replaces the file with one line changed, and runs the command.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rename, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

export interface BareRenderJob {
  readonly consul: string;
  readonly destination: string;
  readonly marker: string;
  /** Of the file, by service. */
  readonly lines: Readonly<Record<string, string>>;
}

/** As far as it is read. */
type Entries = readonly { readonly Service: { readonly Address: string; readonly Port: number } }[];

const [job] = (await once(process, 'message')) as [BareRenderJob];
const lines = new Map(Object.entries(job.lines));
const agent = new Agent({ keepAlive: true });

await writeFile(job.destination, joinLines());
process.on('message', (service: string) => void follow(service));
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** Until its next change. */
async function follow(service: string): Promise<void> {
  const { index } = await ask(service);
  const answering = ask(service, index);
  process.send?.('waits');
  const { entries } = await answering;
  lines.set(service, entries.map(({ Service: { Address, Port } }) => `${service} ${Address}:${Port}`).join('\n'));
  await replace(joinLines());
  spawn('touch', [job.marker], { stdio: 'ignore' });
}

async function ask(service: string, index?: string): Promise<{ readonly index: string; readonly entries: Entries }> {
  const request = get(`${job.consul}/v1/health/service/${service}?index=${index ?? 0}&wait=60s`, { agent });
  const [response] = await once(request, 'response');
  return { index: String(response.headers['x-consul-index']), entries: JSON.parse(await text(response)) };
}

async function replace(content: string): Promise<void> {
  const candidate = `${job.destination}.new`;
  const handle = await open(candidate, 'w');
  await handle.writeFile(content);
  await handle.sync();
  await handle.close();
  await rename(candidate, job.destination);
}

function joinLines(): string {
  return `${[...lines.values()].join('\n')}\n`;
}
