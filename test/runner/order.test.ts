import t from 'tap';
import { orderFiles } from './order.ts';

t.test('what may take longest comes first, then what starts servers', async (t) => {
  const projectDir = t.testdir({
    'a.ts': "import t from 'tap';",
    'b.ts': "import { Sandbox } from '../sandbox/sandbox.ts';",
    'c.ts': 't.setTimeout(60_000);',
    'd.ts': "import { waitFor } from '../sandbox/condition.ts';",
    'e.ts': 't.setTimeout(long ? 240_000 : 120_000);',
  });
  t.strictSame(orderFiles(['a.ts', 'b.ts', 'c.ts', 'd.ts', 'e.ts'], { projectDir }), [
    ...['e.ts', 'c.ts'],
    'b.ts',
    ...['a.ts', 'd.ts'],
  ]);
});
