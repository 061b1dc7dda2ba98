import t from 'tap';
import { isDaemonSecret, type ProgramEnv, selectEnv } from '../../lib/model/program-env.ts';

const secrets = {
  CONSUL_HTTP_AUTH: 'a:b',
  CONSUL_HTTP_TOKEN: 't',
  SWITCHMASTER_API_TOKEN: 't',
  SWITCHMASTER_REDIS_PASSWORD: 'p',
  SWITCHMASTER_SENTINEL_PASSWORD: 'p',
  SWITCHMASTER_SENTINEL_ENDPOINT_PASSWORD: 'p',
};
const own = {
  PATH: '/bin',
  HOME: '/root',
  CONSUL_HTTP_ADDR: 'a',
  CONSUL_HTTP_TOKEN_FILE: 'f',
  ...secrets,
  MALLOC_TRIM_THRESHOLD_: '1',
};
const all: ProgramEnv = { inherit: 'all', allowlist: [], denylist: [], custom: {} };

t.test(
  'a program gets the environment that its template gives it, and none of the secrets of the daemon',
  async (t) => {
    const open = ['CONSUL_HTTP_ADDR', 'CONSUL_HTTP_TOKEN_FILE', 'HOME', 'PATH'];
    const cases: readonly (readonly [string, ProgramEnv | undefined, readonly string[]])[] = [
      ['nothing is set', undefined, open],
      ['empty settings', all, open],
      ['pristine', { ...all, inherit: 'none' }, []],
      ['pristine, with a variable', { ...all, inherit: 'none', custom: { A: '1' } }, ['A']],
      [
        'an allowlist',
        { ...all, allowlist: ['PATH', 'CONSUL_*'] },
        ['CONSUL_HTTP_ADDR', 'CONSUL_HTTP_TOKEN_FILE', 'PATH'],
      ],
      ['an allowlist of all', { ...all, allowlist: ['*'] }, open],
      ['one sign', { ...all, allowlist: ['HOM?', 'PAT', 'path'] }, ['HOME']],
      ['a denylist', { ...all, denylist: ['CONSUL_*'] }, ['HOME', 'PATH']],
      ['both', { ...all, allowlist: ['CONSUL_*'], denylist: ['*_FILE'] }, ['CONSUL_HTTP_ADDR']],
      [
        'what is for the daemon alone',
        { ...all, custom: { MALLOC_TRIM_THRESHOLD_: '2' }, allowlist: ['MALLOC_*'] },
        ['MALLOC_TRIM_THRESHOLD_'],
      ],
      [
        'a variable that the lists exclude',
        { ...all, allowlist: ['PATH'], denylist: ['A'], custom: { A: '1' } },
        ['A', 'PATH'],
      ],
    ];
    for (const [name, spec, expected] of cases) t.strictSame(Object.keys(selectEnv(own, spec)).sort(), expected, name);
    t.strictSame(
      selectEnv(own, { ...all, allowlist: ['PATH'], custom: { PATH: '/opt', CONSUL_HTTP_TOKEN: 'theirs' } }),
      {
        PATH: '/opt',
        CONSUL_HTTP_TOKEN: 'theirs',
      },
    );
    for (const name of Object.keys(secrets)) t.ok(isDaemonSecret(name), name);
    t.notOk(isDaemonSecret('REDIS_PASSWORD'));
  },
);
