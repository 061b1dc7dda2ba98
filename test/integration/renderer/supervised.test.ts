import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import type { Reason } from '../../../lib/model/health.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Supervised programs of a real daemon. */

const sandbox = await Sandbox.openFor(t, { name: 'supervised' });
const consul = await sandbox.consul();

t.test('a program that a killed daemon left behind does not keep its port, nor its former config', async (t) => {
  await consul.putKey('left', 'one');
  const listen = await sandbox.address();
  const serve = `require("net").createServer((socket) => socket.end(text)).listen(${listen.port}, "${listen.host}")`;
  const script = `const text = require("fs").readFileSync(process.argv[1], "utf8"); ${serve}`;
  const daemon = await sandbox.switchmaster({
    name: 'leaving',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('left.conf.hbs', '{{key "left"}}'),
          destination: sandbox.path('left.conf'),
          header: false,
          reload: { supervise: [process.execPath, '-e', script, '{{file}}'] },
          verify: { tcp: `${listen.host}:${listen.port}`, deadline: '30s' },
        },
      ],
    },
  });
  const served = () => readAll(listen).catch(() => undefined);
  await waitFor('the first text', served, { until: (now) => now === 'one' });
  await waitFor('the note', () => existsSync(sandbox.path('.left.conf.switchmaster.program')));
  await daemon.kill('SIGKILL');
  t.equal(await served(), 'one', 'it still serves');
  await consul.putKey('left', 'two');
  await daemon.start();
  await waitFor('the second text', served, { until: (now) => now === 'two' });
  t.ok(daemon.logLines().some(({ msg }) => msg === 'program of a killed daemon ended'));
  await daemon.stop();
});

t.test('a supervised program that does not keep running is critical', async (t) => {
  const free = sandbox.path('free');
  const daemon = await sandbox.switchmaster({
    name: 'ending',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          contents: 'x',
          destination: sandbox.path('ending.conf'),
          reload: { supervise: ['/bin/sh', '-c', `echo "cannot bind"; test -e ${free} || exit 1; exec sleep 1000`] },
        },
      ],
    },
  });
  const reasons = async () => ((await daemon.get('/v1/health')).body as { reasons: Reason[] }).reasons;
  const found = await waitFor('the reason', async () =>
    (await reasons()).find(({ code }) => code === 'template-failed'),
  );
  t.match(found, { level: 'critical', text: /does not keep running: exited with 1.* Its last line: cannot bind/ });
  sandbox.write('free', '');
  await waitFor('the end of the reason', reasons, { until: (now) => now.length === 0, timeoutMs: 120_000 });
  await daemon.stop();
});

/** What a server says before it closes the connection. */
async function readAll({ host, port }: Address): Promise<string> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return text(socket);
}
