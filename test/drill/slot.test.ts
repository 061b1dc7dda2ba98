import t from 'tap';
import { slotOfKey } from '../../lib/drill/slot.ts';

/* What CLUSTER KEYSLOT of Redis answers. */
const rows = [
  ['', 0],
  ['123456789', 12_739],
  ['somekey', 11_058],
  ['foo{hash_tag}', 2_515],
  ['bar{hash_tag}', 2_515],
  ['hash_tag', 2_515],
  ['foo{bar}{zap}', 5_061],
  ['bar', 5_061],
  ['foo{}{bar}', 8_363],
] as const;

t.test('the slot of a key is the one that Redis computes', async (t) => {
  for (const [key, slot] of rows) t.equal(slotOfKey(key), slot, key);
});
