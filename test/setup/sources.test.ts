import t from 'tap';
import { debianMirrors, parseDeb822, parseOneLine } from '../../setup/sources.mjs';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

t.test('a deb822 file is read with its comments, continued lines and disabled stanzas', async (t) => {
  const text = `Types: deb deb-src
# a comment inside a stanza does not end it
URIs: http://mirror.example.org/debian
suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: ${keyring}

Enabled: no
Types: deb
URIs: http://example.org/debian
Suites: bookworm
Components: main
`;
  t.strictSame(parseDeb822(text), [
    {
      types: ['deb', 'deb-src'],
      uris: ['http://mirror.example.org/debian'],
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main', 'contrib'],
      signedBy: keyring,
    },
  ]);
});

t.test('a key inside a deb822 stanza is kept apart from the fields', async (t) => {
  const text = `Types: deb
URIs: https://mirror.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYB: not a field
 -----END PGP PUBLIC KEY BLOCK-----
`;
  t.strictSame(debianMirrors(parseDeb822(text)), ['https://mirror.example/debian']);
});

t.test('a one-line file is read with its options and comments', async (t) => {
  const text = `# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=${keyring}] http://mirror.example.org/debian bookworm main contrib # why not
deb-src http://mirror.example.org/debian bookworm main

deb http://security.debian.org/debian-security bookworm-security main
`;
  const [first, source, security, ...more] = parseOneLine(text);
  t.strictSame(first, {
    types: ['deb'],
    uris: ['http://mirror.example.org/debian'],
    suites: ['bookworm'],
    components: ['main', 'contrib'],
    signedBy: keyring,
  });
  t.strictSame(source?.types, ['deb-src']);
  t.strictSame(security?.suites, ['bookworm-security']);
  t.strictSame(more, []);
});

const machines: { title: string; lists: string; mirrors: string[] }[] = [
  {
    title: 'security, backports and updates alone are no archive of other releases',
    lists: `deb http://mirror.example.org/debian-security bookworm-security main
deb http://mirror.example.org/debian bookworm-backports main`,
    mirrors: [],
  },
  {
    title: "other people's repositories are ignored",
    lists: `deb https://packages.example.com/node_20.x nodistro main
deb https://download.docker.com/linux/debian bookworm stable
deb https://apt.releases.hashicorp.com bookworm main
deb http://apt.postgresql.org/pub/repos/apt bookworm-pgdg main
deb http://mirror.example/debian/ bookworm main`,
    mirrors: ['http://mirror.example/debian/'],
  },
  {
    title: "an entry signed by Debian's key comes before one that only looks like Debian's",
    lists: `deb http://packages.example.com/tools/debian bookworm main
deb [signed-by=${keyring}] http://10.0.0.1:3142/proxy/debian bookworm main`,
    mirrors: ['http://10.0.0.1:3142/proxy/debian', 'http://packages.example.com/tools/debian'],
  },
  {
    title: "a mirror's login and port stay in its address, and equal entries are one",
    lists: `deb https://user:word@mirror.example:8443/debian bookworm main
deb-src https://user:word@mirror.example:8443/debian bookworm main
deb https://user:word@mirror.example:8443/debian stable main`,
    mirrors: ['https://user:word@mirror.example:8443/debian'],
  },
  {
    title: 'the mirror lists of cloud images are taken as they are',
    lists: 'deb mirror+file:/etc/apt/mirrors/debian.list bookworm main',
    mirrors: ['mirror+file:/etc/apt/mirrors/debian.list'],
  },
  { title: 'Ubuntu has no mirror of Debian', lists: 'deb http://archive.ubuntu.com/ubuntu noble main', mirrors: [] },
];

for (const { title, lists, mirrors } of machines) {
  t.test(title, async (t) => {
    t.strictSame(debianMirrors(parseOneLine(lists)), mirrors);
  });
}
