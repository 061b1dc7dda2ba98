import t from 'tap';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { AddressPool } from './address-pool.ts';

t.test('a sandbox has an IP for each of 240 servers, and only more of them share these', async (t) => {
  const pool = new AddressPool('127.0.0');
  const addresses: Address[] = [];
  for (let n = 0; n < 600; n += 1) addresses.push(await pool.next());
  t.equal(new Set(addresses.map(formatAddress)).size, 600);
  t.equal(new Set(addresses.slice(0, 240).map(({ host }) => host)).size, 240);
  const neighbours = addresses.filter(({ host }, i) => host === addresses[i - 1]?.host);
  t.strictSame(neighbours, [], 'a master and its replica never share one');
  t.throws(() => pool.host(), 'a fresh one was asked for');
});
