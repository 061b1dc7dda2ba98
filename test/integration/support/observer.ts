// Observes changes of masters in a process of its own, which shares no event loop with the renderer. Times are milliseconds
// of the monotonic clock, which all processes share. Each observation is one line of JSON.
//
// `poll`: reads jobs from standard input, and polls a consumer until it uses the port of the job.
// `bare URL SOCKET`: a program that only follows the records with a blocking query and sends HAProxy one command.
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseRecord } from '../../../lib/model/record.ts';
import type { Consumer, Job } from './observers.ts';

const [role, url = '', socket = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

process.stdout.write('{"ready":true}\n');
if (role === 'bare') await followRecords();
else for await (const line of createInterface({ input: process.stdin })) await poll(JSON.parse(line) as Job);

async function poll({ consumer, port, name }: Job): Promise<void> {
  while ((await readPort(consumer)) !== port) await delay(1);
  observe(name, port);
}

async function readPort(consumer: Consumer): Promise<number | undefined> {
  if (consumer.kind === 'file') {
    const [, section = ''] = readFileSync(consumer.file, 'utf8').split(`backend ${consumer.backend}\n`);
    return Number(/:(\d+)\n/.exec(section)?.[1]);
  }
  const answer = await command(consumer.socket).catch(() => '');
  const [, header = '', ...lines] = answer.split('\n');
  const columns = header.replace(/^# /, '').split(' ');
  const words = lines.map((line) => line.split(' ')).find((words) => words[1] === consumer.backend);
  return Number(words?.[columns.indexOf('srv_port')]);
}

async function followRecords(): Promise<void> {
  const known = new Map<string, number>();
  let index = '0';
  for (;;) {
    const answer = await read(`${url}/v1/kv/redis/record/?recurse&wait=60s&index=${index}`);
    index = answer.index;
    await command(socket).catch(() => undefined);
    for (const { Value } of JSON.parse(answer.body) as readonly { Value: string }[]) {
      const record = parseRecord(Buffer.from(Value, 'base64').toString());
      if (record === undefined || known.get(record.name) === record.master.port) continue;
      known.set(record.name, record.master.port);
      observe(record.name, record.master.port);
    }
  }
}

function observe(name: string, port: number): void {
  process.stdout.write(`${JSON.stringify({ name, port, atMs: Number(process.hrtime.bigint()) / 1e6 })}\n`);
}

function command(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const connection = connect(path, () => connection.write('show servers state\n'));
    connection.on('data', (chunk) => {
      received += chunk;
    });
    connection.on('error', reject).on('close', () => resolve(received));
  });
}

function read(address: string): Promise<{ readonly index: string; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(address, { agent }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve({ index: String(response.headers['x-consul-index']), body });
    });
    request.on('error', reject);
  });
}
