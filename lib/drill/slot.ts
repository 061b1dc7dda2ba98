const slots = 16_384;
const polynomial = 0x1021;

/** The slot of a key in a Redis Cluster, which hashes the text in the first braces, or the whole key (Redis Cluster specification). */
export function slotOfKey(key: string): number {
  const [, hashed = key] = /^[^{]*\{([^}]+)\}/.exec(key) ?? [];
  return crc16(Buffer.from(hashed)) % slots;
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? polynomial : 0)) & 0xffff;
  }
  return crc;
}
