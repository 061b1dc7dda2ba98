import { Session } from 'node:inspector';
import type { Test } from 'tap';

/** Has V8 end the work for which `isEnded` returns true, as if it took its whole limit of processor time. Gets the limit of each. */
export function endWork(t: Test, isEnded: (limitMs: number) => boolean): void {
  const post = Session.prototype.post as (...given: unknown[]) => void;
  t.intercept(Session.prototype, 'post', {
    value(this: Session, ...given: [method: string, params: { timeout: number }]) {
      const limitMs = given[1].timeout;
      if (!isEnded(limitMs)) return post.apply(this, given);
      const before = process.cpuUsage();
      while (process.cpuUsage(before).user < 1_000 * limitMs);
    },
  });
}
