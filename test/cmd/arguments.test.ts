import { Command } from 'commander';
import t from 'tap';
import { arrangeArguments } from '../../cmd/arguments.ts';
import { fold, stripControls } from '../../cmd/terminal.ts';

const program = new Command('switchmaster').option('--debug').version('1', '-V, --version');
program.command('status').argument('[name]').option('--json').option('-c, --config <path>').option('-w, --watch [s]');
program.command('run').option('-c, --config <path>');

const cases: readonly (readonly [given: string, arranged: string])[] = [
  ['status --json', 'status --json'],
  ['--json status', 'status --json'],
  ['--config /a status shard1', 'status --config /a shard1'],
  ['-c /a status', 'status -c /a'],
  ['--config=/a --debug status', '--debug status --config=/a'],
  ['status --debug', '--debug status'],
  ['status -c --debug', 'status -c --debug'],
  ['status -- --debug', 'status -- --debug'],
  ['--debug', '--debug'],
  ['--json run', '--json run'],
  ['--unknown status', '--unknown status'],
  ['stauts --json', 'stauts --json'],
  ['', ''],
];

for (const [given, arranged] of cases) {
  t.test(`${given} is ${arranged}`, async (t) => {
    t.equal(arrangeArguments(given.split(' ').filter(Boolean), program).join(' '), arranged);
  });
}

t.test('a narrow terminal folds between words, and a tree stays connected', async (t) => {
  t.equal(fold('├─ replica 10.0.0.5:6379  in sync', 19), '├─ replica\n│  10.0.0.5:6379\n│  in sync');
  t.equal(fold('└─ a bb', 5), '└─ a\n   bb');
  t.equal(fold('    $ switchmaster why shard1', 10), '    $ switchmaster why shard1');
  t.equal(fold('\u001b[1mab\u001b[22m cd', 5), '\u001b[1mab\u001b[22m cd');
});

t.test('a text of several lines is shown on one', async (t) => {
  t.equal(
    stripControls('The config has a problem:\n  a.yml:6:5: unknown key\r\n\tb'),
    'The config has a problem: a.yml:6:5: unknown key b',
  );
  t.equal(stripControls('a\u0007b'), 'a\uFFFDb');
});
