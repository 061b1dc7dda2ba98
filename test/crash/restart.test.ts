import t, { type Test } from 'tap';
import { waitForRestart } from '../../lib/crash/restart.ts';
import { waitFor } from '../sandbox/condition.ts';
import { listen } from './case-world.ts';

/** A process at a free port that accepts connections, and how many it has accepted. */
async function startProcess(t: Test) {
  const server = await listen();
  const seen = { connections: 0 };
  server.on('connection', () => {
    seen.connections += 1;
  });
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const ways = [{ to: { host: '127.0.0.1', port }, from: undefined }];
  const at = { ways, signal: new AbortController().signal, onDelay: () => undefined };
  return { server, seen, at };
}

t.test('a process that accepts connections is tried some times before it is asked who it is', async (t) => {
  const { seen, at } = await startProcess(t);
  let questions = 0;
  const readInfo = async () => {
    questions += 1;
    await waitFor('the attempts', () => seen.connections === 4);
    return 'run_id:after\r\nrole:master\r\nloading:0\r\n';
  };
  t.match(await waitForRestart({ ...at, readInfo }), { runId: 'after', state: 'master' });
  t.equal(questions, 1);
});

t.test('a process whose listener ends while it is tried is gone, and is not asked', async (t) => {
  const { server, at } = await startProcess(t);
  server.once('connection', () => server.close());
  const readInfo = async () => t.fail('it was asked');
  t.equal(await waitForRestart({ ...at, readInfo }), 'gone');
});

t.test('a process that loads its data is asked some times a second, until it has loaded', async (t) => {
  const { seen, at } = await startProcess(t);
  let [questions, isLoading] = [0, true];
  const readInfo = async () => {
    questions += 1;
    return `run_id:after\r\nrole:master\r\nloading:${isLoading ? 1 : 0}\r\n`;
  };
  const judging = waitForRestart({ ...at, readInfo });
  await waitFor('the first question', () => questions > 0);
  const before = seen.connections;
  const [startedMs, asked] = [performance.now(), questions];
  await waitFor('five more questions', () => questions >= asked + 5);
  const everyMs = (performance.now() - startedMs) / (questions - asked);
  t.ok(everyMs >= 95, `one question every ${everyMs} ms`);
  t.ok(seen.connections - before <= questions - asked + 1, `${seen.connections - before} connections`);
  isLoading = false;
  t.match(await judging, { runId: 'after', state: 'master' });
});
