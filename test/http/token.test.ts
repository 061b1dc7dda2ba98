import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import { EventStreams } from '../../lib/http/events.ts';
import { makeServer } from '../../lib/http/server.ts';
import { exampleToken, serve } from './serve.ts';
import { exampleTemplate, exampleViews } from './views.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test('with the token, a template can be rendered or approved', async (t) => {
  const asked: string[] = [];
  const templateControls = {
    render: (name: string) => void asked.push(`render ${name}`),
    approve: (name: string) => void asked.push(`approve ${name}`),
  };
  const { server } = serve(t, exampleViews({ templateControls }));
  for (const action of ['render', 'approve']) {
    const url = `/v1/templates/haproxy.cfg/${action}`;
    const answer = await server.inject({ method: 'POST', url, headers: bearer(exampleToken) });
    t.equal(answer.statusCode, 202);
    t.strictSame(answer.json(), { accepted: true });
  }
  t.strictSame(asked, ['render haproxy.cfg', 'approve haproxy.cfg']);
});

t.test('without the token, the request is refused and nothing is done', async (t) => {
  const render = () => t.fail('it was rendered');
  const { server } = serve(t, exampleViews({ templateControls: { render, approve: render } }));
  const url = '/v1/templates/haproxy.cfg/render';
  const wrong = [
    {},
    bearer('wrong'),
    bearer(''),
    { authorization: `Basic ${exampleToken}` },
    bearer(`${exampleToken}x`),
  ];
  for (const headers of wrong) {
    const answer = await server.inject({ method: 'POST', url, headers });
    t.equal(answer.statusCode, 401);
    t.equal(answer.json().error.code, 'request-denied');
    t.notMatch(answer.body, exampleToken);
  }
});

t.test(
  'the text of a file that others may not read requires the token, and only with it are secrets shown',
  async (t) => {
    const secret = { ...exampleTemplate, name: 'secret.conf', access: 'token' as const };
    const views = exampleViews({ templates: [exampleTemplate, secret] });
    const texts = { anybody: '[secret]', 'token-holder': 'hunter2' } as const;
    const templates = {
      ...views.templates,
      rendered: async (_: string, reader: keyof typeof texts) => texts[reader],
      present: async (_: string, reader: keyof typeof texts) => (reader === 'anybody' ? undefined : 'hunter1'),
    };
    const { server } = serve(t, { ...views, templates });
    const get = (name: string, headers = {}) => server.inject({ url: `/v1/templates/${name}`, headers });
    t.match((await get('haproxy.cfg')).json(), { rendered: '[secret]', present: null });
    t.match((await get('haproxy.cfg', { authorization: 'Basic eDp5' })).json(), { rendered: '[secret]' });
    t.match((await get('secret.conf')).json(), { error: { code: 'request-denied' }, rendered: undefined });
    t.equal((await get('secret.conf')).statusCode, 401);
    t.notMatch((await server.inject('/v1/templates')).body, /hunter/);
    for (const name of ['haproxy.cfg', 'secret.conf']) {
      t.match((await get(name, bearer(exampleToken))).json(), { rendered: 'hunter2', present: 'hunter1' });
      t.equal((await get(name, bearer('wrong'))).statusCode, 401, 'a wrong token is no token');
    }
    for (let i = 0; i < 12; i += 1)
      t.equal((await get('secret.conf')).statusCode, 401, 'who brings none guesses nothing');
    t.equal((await get('secret.conf', bearer(exampleToken))).statusCode, 200);
  },
);

t.test('an address that guesses is throttled for a while; other addresses and the right token are not', async (t) => {
  const { server } = serve(t);
  const post = (token: string, remoteAddress = '127.0.0.9') =>
    server.inject({ method: 'POST', url: '/v1/templates/a/render', headers: bearer(token), remoteAddress });
  for (let i = 0; i < 10; i += 1) await post(`guess ${i}`.replace(' ', '-'));
  t.equal((await post('guess')).statusCode, 429);
  t.equal((await post(exampleToken)).statusCode, 202);
  t.equal((await post('guess', '127.0.0.8')).statusCode, 401);
  t.equal((await post(exampleToken, '127.0.0.8')).statusCode, 202);
  t.equal(
    (await server.inject({ url: '/live', remoteAddress: '127.0.0.9' })).statusCode,
    200,
    'reading is not shut out',
  );
});

t.test('requests without a token do not count as guesses', async (t) => {
  const { server } = serve(t);
  const post = (headers: Record<string, string>) =>
    server.inject({ method: 'POST', url: '/v1/templates/a/render', headers });
  for (let i = 0; i < 12; i += 1) t.equal((await post({})).statusCode, 401);
  for (let i = 0; i < 12; i += 1) t.equal((await post({ authorization: 'Basic eDp5' })).statusCode, 401);
  t.equal((await post(bearer('wrong'))).statusCode, 401);
  t.equal((await post(bearer(exampleToken))).statusCode, 202);
});

t.test('without a token in the config, changing calls are switched off', async (t) => {
  const views = exampleViews();
  const streams = new EventStreams(views.journal);
  const server = makeServer({ views, streams, token: undefined, version: '1', onDefect: () => {} });
  t.teardown(() => server.close());
  const answer = await server.inject({ method: 'POST', url: '/v1/templates/a/render', headers: bearer('undefined') });
  t.equal(answer.statusCode, 401);
  t.match(answer.json().error.message, /api\.tokenFile is not set/);
});

t.test('an unknown name is answered with not-found', async (t) => {
  const none = () => {
    throw new SwitchmasterError('not-found', 'Nothing is held of the template "a".');
  };
  const { server } = serve(t, exampleViews({ templateControls: { render: none, approve: none } }));
  const url = '/v1/templates/a/approve';
  const answer = await server.inject({ method: 'POST', url, headers: bearer(exampleToken) });
  t.equal(answer.statusCode, 404);
  t.match(answer.json().error, { code: 'not-found', message: /Nothing is held/ });
});

t.test('the API document says which calls need the token', async (t) => {
  const { paths } = (await serve(t).server.inject('/openapi.json')).json();
  t.strictSame(paths['/v1/templates/{name}/render'].post.security, [{ token: [] }]);
  t.equal(paths['/v1/masters'].get.security, undefined);
});
