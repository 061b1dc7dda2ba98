import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import t from 'tap';
import { ApiListener } from '../../lib/http/listener.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { exampleViews } from './views.ts';

const folder = t.testdir();
const [one, two] = ['one', 'two'].map((name) => new Certificates(join(folder, name)));
const own = one?.issue('api.test');
const client = one?.issue('client.test');

const settings = (ca: string | undefined) => ({
  views: exampleViews(),
  version: '1',
  token: undefined,
  listen: { host: '127.0.0.1', port: 0 },
  onDefect: () => {},
  tls: { cert: own?.cert, key: own?.key, ca, requestCert: true, rejectUnauthorized: true },
});

t.test('a client whose authority is not trusted any more loses its connection', async (t) => {
  const listener = new ApiListener(settings(one?.ca));
  t.teardown(() => listener.close());
  const { port } = new URL((await listener.listen()).address);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, cert: client?.cert, key: client?.key });
  t.teardown(() => agent.destroy());
  const ask = async () => {
    const options = { host: '127.0.0.1', port, path: '/live', agent, rejectUnauthorized: false };
    const [response] = (await once(https.get(options), 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  };
  t.equal(await ask(), 200);
  t.equal(await listener.become(settings(one?.ca)), true);
  t.equal(await ask(), 200);
  t.equal(await listener.become(settings(two?.ca)), true);
  await t.rejects(ask());
  t.equal(
    await listener.become({ ...settings(two?.ca), tls: { cert: own?.cert, key: own?.key } }),
    false,
    'another kind of TLS',
  );
});
