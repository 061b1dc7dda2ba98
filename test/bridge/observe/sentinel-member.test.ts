import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { SentinelMember } from '../../../lib/bridge/observe/sentinel-member.ts';
import { encodeReply, type Reply, SimpleString } from '../../../lib/endpoint/resp/reply.ts';
import type { Address } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readRequests } from '../../sandbox/simulated/requests.ts';

const sandbox = await Sandbox.openFor(t, { name: 'sentinel-member' });
const masters = 300;
/** Of each master: MASTER and REPLICAS. */
const questionsEach = 2;
/** As in the code: about so many masters at a time. */
const mostAtOnce = 32;

/** A Sentinel that answers questions about masters in their order, each after a call of `answer`, and a PING after what precedes it. */
async function listen(): Promise<{
  readonly address: Address;
  readonly asked: string[][];
  readonly state: { epoch: number };
  answer(): void;
}> {
  const state = { epoch: 1 };
  const address = await sandbox.address();
  const asked: string[][] = [];
  const unanswered: { readonly socket: Socket; readonly replies: Reply[] }[] = [];
  const take = (words: readonly string[], socket: Socket): void => {
    const [command = '', subcommand = ''] = words.map((word) => word.toUpperCase());
    const name = words[2] ?? '';
    const reply = (answer: Reply) => {
      const before = unanswered.findLast((question) => question.socket === socket);
      if (before === undefined) socket.write(encodeReply(answer, 2));
      else before.replies.push(answer);
    };
    if (command === 'PING') reply(new SimpleString('PONG'));
    else if (command === 'PSUBSCRIBE') reply(['psubscribe', '*', 1]);
    else if (subcommand === 'MYID') reply('a'.repeat(40));
    else {
      asked.push([subcommand, name]);
      const master = () => (subcommand === 'MASTERS' ? [describe('m', state)] : describe(name, state));
      unanswered.push({ socket, replies: [subcommand === 'REPLICAS' ? [] : master()] });
    }
  };
  const server = createServer((socket) => {
    readRequests(socket, (requests) => {
      for (const words of requests) take(words, socket);
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(address);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const answer = (): void => {
    const { socket, replies = [] } = unanswered.shift() ?? {};
    for (const one of replies) socket?.write(encodeReply(one, 2));
  };
  return { address, asked, state, answer };
}

function add(t: Test, address: Address): SentinelMember {
  const ignore = () => {};
  const hooks = { onEvent: ignore, onUp: ignore, onDown: ignore };
  const member = new SentinelMember({ address, id: undefined, origin: 'configured', access: {}, ...hooks });
  t.teardown(() => member.link.close());
  return member;
}

async function join(t: Test, address: Address): Promise<SentinelMember> {
  const member = add(t, address);
  await waitFor('the link', () => member.link.up);
  return member;
}

function describe(name: string, { epoch }: { readonly epoch: number }): Reply {
  const numbers = { 'config-epoch': epoch, quorum: 2, 'num-other-sentinels': 2, 'failover-timeout': 180_000 };
  const texts = { name, ip: '10.0.0.5', port: '6379', flags: 'master', 'num-slaves': '0' };
  return [...Object.entries(texts), ...Object.entries(numbers).map(([key, value]) => [key, String(value)])].flat();
}

t.test('few questions about many masters are under way, and one that cannot wait is next', async (t) => {
  const { address, asked, answer } = await listen();
  const member = await join(t, address);

  const queued = new AbortController().signal;
  const timeoutMs = 60_000;
  const readings = Array.from({ length: masters }, (_, n) => member.read(`m${n}`, { timeoutMs, queued }));
  const urgent = member.read('urgent', { timeoutMs });
  await waitFor('the urgent question', () => asked.some(([, name]) => name === 'urgent'));
  const place = asked.findIndex(([, name]) => name === 'urgent');
  t.ok(place <= mostAtOnce * questionsEach, `${place} questions are before it, and not those about ${masters} masters`);

  let answered = 0;
  let most = 0;
  await waitFor('all questions', () => {
    most = Math.max(most, asked.length - answered);
    for (; answered < asked.length; answered += 1) answer();
    return answered === (masters + 1) * questionsEach;
  });
  t.ok(most <= (mostAtOnce + 1) * questionsEach, `${most} were under way at most`);
  t.match(await urgent, { kind: 'seen' });
  t.ok((await Promise.all(readings)).every(({ kind }) => kind === 'seen'));
});

t.test('a master is not asked about any more whose run was interrupted meanwhile', async (t) => {
  const { address, asked, answer } = await listen();
  const member = await join(t, address);
  const [first, later] = [new AbortController(), new AbortController()];
  const begun = Array.from({ length: mostAtOnce }, (_, n) =>
    member.read(`m${n}`, { timeoutMs: 60_000, queued: first.signal }),
  );
  let answered = 0;
  const dropped = member.read('dropped', { queued: later.signal });
  later.abort();
  t.match(await dropped, { kind: 'unreachable' });
  await waitFor('the questions', () => {
    for (; answered < asked.length; answered += 1) answer();
    return answered === mostAtOnce * questionsEach;
  });
  t.ok((await Promise.all(begun)).every(({ kind }) => kind === 'seen'));
  t.notOk(asked.some(([, name]) => name === 'dropped'));
});

t.test('a question is asked at once while few are under way, and says when its wait is over', async (t) => {
  const { address, asked, answer } = await listen();
  const member = await join(t, address);
  const queued = new AbortController().signal;
  const begun: string[] = [];
  const read = (name: string) => member.read(name, { timeoutMs: 60_000, queued, onAsked: () => begun.push(name) });
  const names = Array.from({ length: mostAtOnce + 1 }, (_, n) => `m${n}`);
  const readings = names.map(read);
  t.strictSame(begun, names.slice(0, -1), 'all but the last');
  await waitFor('questions', () => asked.length > 0);
  for (let n = 0; n < questionsEach; n += 1) answer();
  await waitFor('the last one', () => begun.length === names.length);
  let answered = questionsEach;
  await waitFor('all questions', () => {
    for (; answered < asked.length; answered += 1) answer();
    return answered === names.length * questionsEach;
  });
  await Promise.all(readings);
  t.strictSame(begun, names, 'each once');
});

t.test('one whose link is down is not asked', async (t) => {
  const member = add(t, await sandbox.address());
  await waitFor('a refusal', () => member.link.error !== undefined);
  let isAsked = false;
  const onAsked = () => {
    isAsked = true;
  };
  t.match(await member.read('m', { queued: new AbortController().signal, onAsked }), { kind: 'unreachable' });
  t.notOk(isAsked);
});

t.test('what a Sentinel is found to monitor while a question waits counts', async (t) => {
  const { address } = await listen();
  const member = await join(t, address);
  const begun = Array.from({ length: mostAtOnce }, (_, n) =>
    member.read(`m${n}`, { timeoutMs: 60_000, queued: new AbortController().signal }),
  );
  const later = new AbortController();
  const reading = member.read('found', { queued: later.signal });
  member.learnNames(['found']);
  later.abort();
  t.match(await reading, { kind: 'unreachable', hasMonitored: true });
  member.link.close();
  await Promise.all(begun);
});

t.test('its list shows what no full run has read, although another reading has', async (t) => {
  const { address, state, answer } = await listen();
  const member = await join(t, address);
  const settle = async <T>(asking: Promise<T>): Promise<T> => {
    let isSettled = false;
    const settled = asking.finally(() => {
      isSettled = true;
    });
    await waitFor('the answers', () => {
      answer();
      return isSettled;
    });
    return settled;
  };
  const timeoutMs = 60_000;
  const read = (queued?: AbortSignal) => settle(member.read('m', { timeoutMs, ...(queued && { queued }) }));
  const list = async () => (await settle(member.link.masters({ timeoutMs }))).map(({ isChanged }) => isChanged);
  const { signal } = new AbortController();
  await read(signal);
  state.epoch = 2;
  await read();
  t.strictSame(await list(), [true]);
  state.epoch = 3;
  await read(signal);
  t.strictSame(await list(), [false]);
});
