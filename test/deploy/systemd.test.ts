import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';

const file = path.resolve(import.meta.dirname, '../../deploy/systemd/switchmaster.service');
const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => /^[A-Z][A-Za-z]+=/.test(line));
const settings = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));

t.test('the unit allows the address families that the daemon and its C library use', (t) => {
  const families = settings.get('RestrictAddressFamilies')?.split(' ') ?? [];
  t.strictSame(families.sort(), ['AF_INET', 'AF_INET6', 'AF_NETLINK', 'AF_UNIX']);
  t.end();
});
