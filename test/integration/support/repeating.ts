/** Reads repeatedly. The function that it returns waits for the last reading, and throws if one failed. */
export function repeat(read: () => Promise<void>): () => Promise<void> {
  let state: 'reading' | 'stopped' = 'reading';
  const reading = (async () => {
    while (state === 'reading') await read();
  })();
  return () => {
    state = 'stopped';
    return reading;
  };
}
