import type { z } from 'zod';
import { SwitchmasterError } from '../lib/errors.ts';
import { errorAnswer } from '../lib/http/shapes.ts';

const timeoutMs = 10_000;

/** Where to ask: the API's address, and a path of it. */
interface Place {
  readonly api: string;
  readonly path: string;
}

/** One answer of a running switchmaster's API. Throws its error, or `api-unreachable`. */
export async function ask<S extends z.ZodType>({ api, path }: Place, shape: S): Promise<z.output<S>> {
  const response = await request({ api, path }, { signal: AbortSignal.timeout(timeoutMs) });
  const json: unknown = await response.json().catch(() => undefined);
  const answer = shape.safeParse(json);
  if (answer.success) return answer.data;
  throw new SwitchmasterError('api-unreachable', `${api}${path} does not answer as switchmaster does`, {
    cause: answer.error,
  });
}

/** The response, once it is known to be no error. */
export async function request(
  { api, path }: Place,
  options: { readonly signal: AbortSignal; readonly headers?: Record<string, string> },
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
  const message = failure.success ? failure.data.error.message : `${api}${path} answers ${response.status}`;
  throw new SwitchmasterError(response.status === 404 ? 'not-found' : 'api-unreachable', message);
}
