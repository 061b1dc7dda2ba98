import t from 'tap';
import { readReplication } from '../../lib/client/replication-shapes.ts';

function acknowledgedOf(...lines: readonly unknown[]): readonly string[] {
  const found = readReplication(['master', 100, lines], 'ROLE');
  return found.role === 'master' ? [...found.acknowledged] : [];
}

t.test('a replica whose line of ROLE has the offset of the master has acknowledged everything', async (t) => {
  const lines = [
    ['10.0.0.2', '6379', '100'],
    ['10.0.0.3', '6379', '99'],
  ];
  t.strictSame(acknowledgedOf(...lines), ['10.0.0.2:6379']);
  t.strictSame(acknowledgedOf(), []);
  t.strictSame(acknowledgedOf('nonsense'), []);
});

t.test('an address with a line that is behind has not, in whatever order ROLE lists them', async (t) => {
  const lines = [
    ['10.0.0.2', '6379', '100'],
    ['10.0.0.2', '6379', '40'],
    ['10.0.0.2', '6380', '100'],
  ];
  t.strictSame(acknowledgedOf(...lines), ['10.0.0.2:6380']);
  t.strictSame(acknowledgedOf(...lines.toReversed()), ['10.0.0.2:6380']);
  t.strictSame(acknowledgedOf(lines[0], lines[0]), ['10.0.0.2:6379'], 'all of its lines have the offset');
});
