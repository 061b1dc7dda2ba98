// A process that runs test files one after another, each as a test by its name: to start Node and to load tap and the
// project takes most of the CPU time of a short file. The default export of `tap` is the file's own test there.
//
// test-process.ts sends the path of a file as a line on descriptor 3. The answer, when the file has ended, is a line of JSON:
// whether it passed, its CPU time in milliseconds and what it left open.
import { registerHooks } from 'node:module';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { childrenCpuMs } from './cpu-time.ts';

/** @type {{ test: import('tap').Test | undefined }} */
export const current = { test: undefined };

const urls = new Set();

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== 'tap' || !urls.has(context.parentURL)) return nextResolve(specifier, context);
    return { url: new URL(`file-test.mjs?of=${context.parentURL}`, import.meta.url).href, shortCircuit: true };
  },
});

const orders = new Socket({ fd: 3 });
const files = createInterface({ input: orders });
const timeout = Number(process.env.TAP_TIMEOUT) * 1_000;
const closingMs = Number(process.env.TEST_CLOSING_MS);
const longestPauseMs = 500;
// The limit is for one file.
t.setTimeout(0);

// One test around them all, because tap ends when it has nothing to run.
t.test('files', async (t) => {
  for await (const file of files) {
    const usedMs = cpuMs();
    const before = process.getActiveResourcesInfo();
    const { ok } = await t.test(file, { timeout }, (t) => runFile(t, file));
    const open = await openedSince(before);
    orders.write(`${JSON.stringify({ ok, cpuMs: cpuMs() - usedMs, open })}\n`);
  }
});

async function runFile(t, file) {
  const { href } = pathToFileURL(resolve(file));
  urls.add(href);
  current.test = t;
  await import(href);
}

/**
 * The kinds of the resources that keep this process alive and did not before, without connections, which only wait for
 * their other end. What is being closed has some time for it.
 */
async function openedSince(before) {
  const deadline = performance.now() + closingMs;
  for (let pauseMs = 0; ; pauseMs = Math.min(pauseMs * 2 + 1, longestPauseMs)) {
    const open = process.getActiveResourcesInfo().filter((kind) => !/^(TCPSocket|Pipe|TLS)Wrap$/.test(kind));
    for (const kind of before) {
      const index = open.indexOf(kind);
      if (index >= 0) open.splice(index, 1);
    }
    if (open.length === 0 || performance.now() > deadline) return open;
    await delay(pauseMs);
  }
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000 + childrenCpuMs();
}
