/**
 * A part of a server's reply as text: empty where it is no text and no number, such as a list. JavaScript's own conversion fails for a
 * list in too many lists, and for objects.
 */
export function replyText(part: unknown): string {
  return typeof part === 'string' || typeof part === 'number' || typeof part === 'bigint' ? String(part) : '';
}

/** A part of a server's reply as a number; NaN where it is none, also where it is empty. */
export function replyNumber(part: unknown): number {
  const text = replyText(part);
  return text === '' ? Number.NaN : Number(text);
}
