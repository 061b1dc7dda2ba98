import t from 'tap';
import { formatDuration, parseDuration } from '../../lib/model/duration.ts';

t.test('a duration is written with the longest unit that leaves no fraction', async (t) => {
  const written = {
    '0': 0,
    '60ms': 60,
    '1500ms': 1_500,
    '5s': 5_000,
    '90s': 90_000,
    '1m': 60_000,
    '2h': 7_200_000,
    '1d': 86_400_000,
  };
  for (const [text, ms] of Object.entries(written)) {
    t.equal(formatDuration(ms), text);
    if (ms > 0) t.equal(parseDuration(text), ms);
  }
});
