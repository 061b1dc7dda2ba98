import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, Command } from 'commander';
import { formatAddress } from '../../lib/model/address.ts';
import { Sandbox } from '../../test/sandbox/sandbox.ts';
import { type Recording, record } from './recording.ts';
import { formatCosts, summarizeCosts } from './report.ts';
import { type SceneName, type SceneSize, scenes } from './scenes.ts';

interface ProfileOptions extends SceneSize {
  readonly top: number;
  readonly folder: string;
  readonly json?: boolean;
}

const project = new URL('../..', import.meta.url);

await new Command('profile')
  .description("Record a daemon's CPU time, allocation and event-loop delay in a scene, and print what costs the most.")
  .addArgument(new Argument('<scene>').choices(Object.keys(scenes)))
  .option('--seconds <count>', 'how long it is recorded', Number, 20)
  .option('--masters <count>', 'masters in failover, idle and storm, each with a replica', Number, 6)
  .option('--services <count>', 'services in the template of render', Number, 100)
  .option('--top <count>', 'functions in each table', Number, 25)
  .option('--folder <path>', 'where the files go', fileURLToPath(new URL('.profiles', project)))
  .option('--json', 'print one JSON object to standard output')
  .showHelpAfterError()
  .action(profile)
  .parseAsync();

async function profile(name: SceneName, options: ProfileOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: `profile-${name}` });
  try {
    const recording = await recordScene(sandbox, name, options);
    const files = save(recording, { name, folder: options.folder });
    const costs = summarizeCosts(recording, options.top);
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify({ scene: name, files, ...costs })}\n`
        : `${[`scene ${name}`, formatCosts(costs), '', ...files].join('\n')}\n`,
    );
  } finally {
    await sandbox.close();
  }
}

async function recordScene(sandbox: Sandbox, name: SceneName, size: SceneSize): Promise<Recording> {
  const inspector = await sandbox.address();
  process.stderr.write('starting the servers and the daemon\n');
  const work = await scenes[name](sandbox, size, {
    nodeArguments: [`--inspect=${formatAddress(inspector)}`],
    // The source and not a bundle, so that functions have their files.
    program: fileURLToPath(new URL('cmd/switchmaster.ts', project)),
  });
  process.stderr.write('recording\n');
  return record(inspector, work);
}

/** Returns the paths, which Chrome's developer tools and VS Code open. */
function save(
  { cpu, heap }: Recording,
  { name, folder }: { readonly name: string; readonly folder: string },
): string[] {
  mkdirSync(folder, { recursive: true });
  const write = (ending: string, profile: object) => {
    const file = path.join(folder, `${name}.${ending}`);
    writeFileSync(file, JSON.stringify(profile));
    return file;
  };
  return [write('cpuprofile', cpu), write('heapprofile', heap)];
}
