// Follows one guide, in a network of its own: follow.ts SCENE PAGE [print]. Prints a Walk as JSON; with `print`, also what
// the commands print, on standard error.
import { requireOwnNetwork } from '../../sandbox/namespace.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readPage } from '../pages.ts';
import { type SceneName, scenes } from './scenes.ts';
import { stepsOf } from './steps.ts';
import { walk } from './walk.ts';

requireOwnNetwork();
const [scene = '', page = '', print] = process.argv.slice(2);
const steps = stepsOf(await readPage(page));
const sandbox = await Sandbox.open({ name: 'guide' });
process.on('uncaughtException', (error) => {
  console.error(error, sandbox.logTails({ lines: 20 }));
  process.exit(1);
});
const set = await scenes[scene as SceneName](sandbox);
const result = await walk(steps, set, print === undefined ? undefined : (text) => process.stderr.write(text));
if (result.deviation !== undefined) console.error(sandbox.logTails({ lines: 20 }));
process.stdout.write(JSON.stringify(result));
await sandbox.close();
process.exit();
