import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findPlace, parseMounts } from '../lib/mounts.ts';

const lines = [
  '22 1 8:1 / / rw - ext4 /dev/sda1 rw',
  '23 22 0:21 / /run rw shared:5 - tmpfs tmpfs rw',
  '24 22 8:2 / /srv/with\\040space rw - ext4 /dev/sda2 rw',
  '25 22 0:40 / /mnt/a rw - nfs4 nas:/a rw',
  '26 22 0:41 / /mnt/b rw - nfs4 nas:/b rw',
  '27 22 0:42 / /mnt/c rw - cifs //files/c rw',
  '28 22 0:43 / /mnt/d rw - fuse.sshfs me@host:/d rw',
  '29 22 0:44 / /mnt/e rw - fuse hang rw',
  '30 22 0:44 /sub /mnt/f rw - fuse hang rw',
  '31 22 0:45 / /mnt/e rw - ext4 /dev/sdb rw',
];

t.test('mounts of one device or of one server hang together', async (t) => {
  const mounts = parseMounts(lines.join('\n'));
  t.same(Object.fromEntries(mounts), {
    '/': { key: '8:1', kind: 'root' },
    '/run': { key: '0:21', kind: 'memory' },
    '/srv/with space': { key: '8:2', kind: 'other' },
    '/mnt/a': { key: 'nfs4 nas', kind: 'other' },
    '/mnt/b': { key: 'nfs4 nas', kind: 'other' },
    '/mnt/c': { key: 'cifs files', kind: 'other' },
    '/mnt/d': { key: 'fuse.sshfs me@host', kind: 'other' },
    '/mnt/e': { key: '0:45', kind: 'other' },
    '/mnt/f': { key: '0:44', kind: 'other' },
  });
  t.equal(parseMounts('').size, 0);
});

t.test('a link leads to the file system of its target', async (t) => {
  const visited: string[] = [];
  const visit = async <T>(key: string, call: () => Promise<T>): Promise<T> => {
    visited.push(key);
    return call();
  };
  const folder = t.testdir({ file: '' });
  symlinkSync('/proc/self/status', join(folder, 'status'));
  symlinkSync('status', join(folder, 'again'));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('../no/such/../file', join(folder, 'dangling'));
  const proc = await findPlace('/proc/self/status', visit);
  t.not(proc, '/proc/self/status');
  t.equal(await findPlace(join(folder, 'status'), visit), proc);
  t.equal(await findPlace(join(folder, 'again'), visit), proc);
  t.ok(visited.includes(proc), 'links on other file systems are followed by way of their file system');
  for (const name of ['loop', 'dangling', 'no-such-file']) await t.resolves(findPlace(join(folder, name), visit));
});
