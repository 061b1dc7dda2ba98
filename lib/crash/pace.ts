/** Between two attempts to connect. */
export const everyMs = 20;
/** After the proof, if other bridges or servers have said something. */
const soonMs = 2;

/** The rest between two attempts to connect. What is learned before the proof cannot complete it. */
export function restAfter({ triedMs, proof }: { readonly triedMs: number; readonly proof: 'complete' | 'open' }) {
  const mostMs = Math.max(soonMs, triedMs + everyMs - performance.now());
  return { leastMs: proof === 'complete' ? soonMs : mostMs, mostMs };
}
