import { withDeadline } from '../deadline.ts';
import { SwitchmasterError } from '../errors.ts';

/** Settles as `promise` does, or rejects with `redis-timeout`. */
export function withRedisDeadline<T>(
  promise: Promise<T>,
  { what, timeoutMs }: { readonly what: string; readonly timeoutMs: number },
): Promise<T> {
  const late = () => new SwitchmasterError('redis-timeout', `${what} got no answer within ${timeoutMs} ms`);
  return withDeadline(promise, { timeoutMs, late });
}
