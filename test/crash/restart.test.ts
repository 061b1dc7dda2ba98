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
