/**
 * Requests to the server that this page came from.
 *
 * @import { Guidance } from './api.d.ts'
 */
const answerMs = 4_000;

/** What the server refused, with its code. */
export class Refused extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * A name as one part of a path. Browsers remove `.` and `..`, also where they are escaped once.
 * @param {string} name
 */
export function pathOf(name) {
  return encodeURIComponent(/^\.{1,2}$/.test(name) ? name.replaceAll('.', '%2E') : name);
}

/**
 * The JSON of an answer. `absent: 'undefined'` makes a 404 undefined. Any other error throws `Refused`, and no answer
 * throws what the browser says.
 * @param {string} path
 * @param {{ absent?: 'undefined', onDate?: (date: string | null) => void }} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, { absent, onDate } = {}) {
  const response = await fetch(path, {
    signal: AbortSignal.timeout(answerMs),
    cache: 'no-store',
    credentials: 'same-origin',
  });
  onDate?.(response.headers.get('date'));
  if (response.ok) return response.json();
  if (response.status === 404 && absent === 'undefined') return undefined;
  throw await toRefused(response);
}

/**
 * What each code means. @returns {Promise<Map<string, Guidance>>}
 */
export async function readGuide() {
  /** @type {{ codes: Guidance[] }} */
  const { codes } = await ask('/v1/health/codes');
  return new Map(codes.map((one) => [one.code, one]));
}

/**
 * Asks for a change, which takes the token, and returns the JSON of the result.
 * @param {string} path
 * @param {{ token: string, body: object | undefined, timeoutMs: number }} order
 * @returns {Promise<any>}
 */
export async function command(path, { token, body, timeoutMs }) {
  const authorization = `Bearer ${token}`;
  const response = await fetch(path, {
    method: 'POST',
    headers: body === undefined ? { authorization } : { authorization, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw await toRefused(response);
  return response.json();
}

/** @param {Response} response */
async function toRefused(response) {
  const { error } = await response.json().catch(() => ({}));
  return new Refused(String(error?.code ?? response.status), String(error?.message ?? response.statusText));
}
