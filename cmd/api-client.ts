import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { type ErrorCode, errorCodes, SwitchmasterError } from '../lib/errors.ts';
import { errorAnswer } from '../lib/http/shapes.ts';

const timeoutMs = 10_000;

/** Where to ask: the API's address, and a path of it. */
interface Place {
  readonly api: string;
  readonly path: string;
}

/** A call that changes something. */
export interface Order extends Place {
  readonly token: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** For the answer, which comes when all is done. */
  readonly timeoutMs: number;
}

/** One answer of a running switchmaster's API. Throws its error, or `api-unreachable`. */
export async function ask<S extends z.ZodType>({ api, path }: Place, shape: S): Promise<z.output<S>> {
  const response = await request({ api, path }, { signal: AbortSignal.timeout(timeoutMs) });
  return readAnswer(response, { place: { api, path }, shape });
}

/** As {@link ask}, for a call that changes something. */
export async function order<S extends z.ZodType>(given: Order, shape: S): Promise<z.output<S>> {
  const { api, path, token, body } = given;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(given.timeoutMs);
  const response = await request({ api, path }, { method: 'POST', headers, body: JSON.stringify(body ?? {}), signal });
  return readAnswer(response, { place: { api, path }, shape });
}

/** The token of the API, from a file or the environment; Throws `config-unreadable` where neither has one. */
export async function readToken(file: string | undefined): Promise<string> {
  if (file === undefined) {
    const token = process.env.SWITCHMASTER_API_TOKEN?.trim() ?? '';
    if (token !== '') return token;
    const hint = 'give --token-file, or set SWITCHMASTER_API_TOKEN, to what api.tokenFile of the daemon holds';
    throw new SwitchmasterError('config-unreadable', `this needs the API token: ${hint}`);
  }
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new SwitchmasterError('config-unreadable', `the token file ${file} cannot be read`, { cause });
  }
}

/** The response, once it is known to be no error. */
export async function request(
  { api, path }: Place,
  options: {
    readonly signal: AbortSignal;
    readonly method?: 'GET' | 'POST';
    readonly headers?: Record<string, string>;
    readonly body?: string;
  },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, api), { ...options, redirect: 'error' });
  } catch (thrown) {
    const late = (options.signal.reason as Error | undefined)?.name === 'TimeoutError';
    if (!late) options.signal.throwIfAborted();
    const { cause = thrown } = thrown as Error;
    const hint = 'is it running? --api, or SWITCHMASTER_API, says where';
    throw new SwitchmasterError('api-unreachable', `no switchmaster answers at ${api} (${hint})`, { cause });
  }
  if (response.ok) return response;
  const failure = errorAnswer.safeParse(await response.json().catch(() => undefined));
  if (!failure.success) {
    throw new SwitchmasterError('api-unreachable', `${api}${path} answers ${response.status}`);
  }
  const { code, message } = failure.data.error;
  throw new SwitchmasterError(isErrorCode(code) ? code : 'api-unreachable', message);
}

async function readAnswer<S extends z.ZodType>(
  response: Response,
  { place, shape }: { readonly place: Place; readonly shape: S },
): Promise<z.output<S>> {
  const json: unknown = await response.json().catch(() => undefined);
  const answer = shape.safeParse(json);
  if (answer.success) return answer.data;
  const { api, path } = place;
  throw new SwitchmasterError('api-unreachable', `${api}${path} does not answer as switchmaster does`, {
    cause: answer.error,
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
