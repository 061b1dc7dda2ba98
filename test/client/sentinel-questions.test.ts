import t from 'tap';
import { RefusedCommands } from '../../lib/client/refused-commands.ts';
import { askTiltSince } from '../../lib/client/sentinel-questions.ts';

const deadline = { what: 'INFO at 127.0.0.1:26379', timeoutMs: 30_000 };

t.test('a Sentinel that refuses INFO does not say that it is out of TILT mode, and is not asked again', async (t) => {
  const refused = new RefusedCommands();
  let asked = 0;
  const call = async () => {
    asked += 1;
    throw Object.assign(new Error("NOPERM this user has no permissions to run the 'info' command"), {
      name: 'ReplyError',
    });
  };
  await t.rejects(askTiltSince({ call }, { refused, ...deadline }), /NOPERM/);
  await t.rejects(askTiltSince({ call }, { refused, ...deadline }), { code: 'redis-denied', message: /NOPERM/ });
  t.equal(asked, 1);
});

const cases: readonly (readonly [string, number | undefined])[] = [
  ['sentinel_tilt:0\r\nsentinel_tilt_since_seconds:-1\r\n', undefined],
  ['sentinel_tilt:0\r\n', undefined],
];
for (const [answer, since] of cases)
  t.test(`${JSON.stringify(answer)} is no TILT mode`, async (t) => {
    t.equal(await askTiltSince({ call: async () => answer }, { refused: new RefusedCommands(), ...deadline }), since);
  });
