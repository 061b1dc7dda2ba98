// The services of docker-compose.yml in network namespaces: started by main.ts. argv: an empty folder, the image as JSON, and
// `--up` or the names of the services to kill (default: all).
import { readComposeFile } from './file.ts';
import { localImages } from './local-images.ts';
import { playAll } from './play.ts';
import { Stack } from './stack.ts';
import { limitsNotApplied } from './start-script.ts';

const [folder = '', image = '{}', ...rest] = process.argv.slice(2);
const write = (line: string) => process.stdout.write(`${line}\n`);

const file = readComposeFile();
for (const limit of limitsNotApplied()) write(`no limit of ${limit} is applied: that needs cgroup version 1`);
const stack = await Stack.open(file, { images: await localImages(JSON.parse(image)), folder });
let failure: unknown;
try {
  if (rest.includes('--up')) {
    await stack.up();
    write('all services are ready. Ctrl-C ends them');
    // main.ts ends this process.
    await new Promise(() => undefined);
  } else await playAll(stack, { file, write, named: rest });
} catch (error) {
  failure = error;
  write(stack.describe());
}
await stack.close();
if (failure !== undefined) throw failure;
process.exit();
