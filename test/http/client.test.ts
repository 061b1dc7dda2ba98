import t from 'tap';
import { clientOf } from '../../lib/http/client.ts';

t.test('the addresses of one machine are one client', (t) => {
  for (const [address, client] of [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::5', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3::10.0.0.1', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::2%eth0', 'fe80::2%eth0'],
    ['fe80::1%eth1', 'fe80::1%eth1'],
    ['FEBF::1', 'febf::1'],
    ['fec0::1', 'fec0:0:0:0::/64'],
    ['fe8::1', 'fe8:0:0:0::/64'],
  ] as const) {
    t.equal(clientOf(address), client, address);
  }
  t.end();
});
