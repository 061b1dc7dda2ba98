import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import { LogStream } from '../../lib/telemetry/log-stream.ts';
import { makeSocketFolder } from '../socket-folder.ts';

t.test('lines for a full disk are counted', (t) => {
  const stream = new LogStream(openSync('/dev/full', 'w'));
  stream.write('one\n');
  stream.write('two\n');
  t.equal(stream.lost, 2);
  t.end();
});

t.test('lines for a closed descriptor are counted', (t) => {
  const fd = openSync('/dev/null', 'w');
  const stream = new LogStream(fd);
  closeSync(fd);
  const other = new LogStream(fd);
  stream.write('one\n');
  other.write('one\n');
  t.equal(other.lost, 1);
  t.end();
});

t.test('a file has every line at once', (t) => {
  const file = `${t.testdir()}/log`;
  const stream = new LogStream(openSync(file, 'a'));
  stream.write('one\n');
  stream.write('zwölf\n');
  t.equal(readFileSync(file, 'utf8'), 'one\nzwölf\n');
  t.equal(stream.lost, 0);
  t.end();
});

t.test('lines wait for a slow reader up to a bound, and stay whole', (t) => {
  const pipe = `${t.testdir()}/pipe`;
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const stream = new LogStream(openSync(pipe, 'w'));
  const line = `${'x'.repeat(9_999)}\n`;
  for (let i = 0; i < 200; i += 1) stream.write(line);
  t.ok(stream.lost > 50 && stream.lost < 120, `${stream.lost} lost`);
  const bytes = Buffer.alloc(100_000);
  let text = '';
  for (;;) {
    let count = 0;
    try {
      count = readSync(reader, bytes);
    } catch {
      break;
    }
    text += bytes.toString('utf8', 0, count);
    stream.flush();
  }
  t.equal(text.length / line.length, 200 - stream.lost);
  t.ok(text.split('\n').every((one) => one === '' || one.length === 9_999));
  t.end();
});

t.test("a socket such as journald's does not block when nobody reads", async (t) => {
  const path = `${makeSocketFolder(t)}/socket`;
  const server = net.createServer({ pauseOnConnect: true }).listen(path);
  const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
  const client = net.connect(path);
  const socket = await accepted;
  t.teardown(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  const { fd } = (client as unknown as { _handle: { fd: number } })._handle;
  const stream = new LogStream(fd);
  for (let i = 0; i < 300; i += 1) stream.write(`${'x'.repeat(9_999)}\n`);
  t.ok(stream.lost > 50);
});
