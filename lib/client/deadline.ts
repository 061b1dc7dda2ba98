import { SwitchmasterError } from '../errors.ts';

/** Settles as `promise` does, or rejects with `redis-timeout`. */
export async function withDeadline<T>(
  promise: Promise<T>,
  options: { readonly what: string; readonly timeoutMs: number },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new SwitchmasterError('redis-timeout', `${options.what} got no answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
