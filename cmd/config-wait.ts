import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../lib/errors.ts';

const retryMs = 250;

/**
 * Calls `load` again while it throws `config-unreadable`: files of secrets and certificates may come after the boot, and
 * are replaced while the daemon runs. Throws the last error after `waitMs`, any other error at once.
 */
export async function waitForConfig<T>(
  load: () => Promise<T>,
  options: { readonly waitMs: number; readonly onWait: (error: SwitchmasterError) => void },
): Promise<T> {
  const deadline = performance.now() + options.waitMs;
  let reported = '';
  for (;;) {
    try {
      return await load();
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      if (error.code !== 'config-unreadable' || performance.now() >= deadline) throw thrown;
      if (error.message !== reported) options.onWait(error);
      reported = error.message;
    }
    await delay(retryMs);
  }
}
