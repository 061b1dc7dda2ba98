// Runs every test that needs a Consul on another one: `npm run test:consul -- PATH-TO-CONSUL [TEST FILES]`.
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const projectDir = resolve(import.meta.dirname, '..');
const [program, ...wanted] = process.argv.slice(2);

if (program === undefined) {
  console.error('usage: npm run test:consul -- PATH-TO-CONSUL [TEST FILES]');
  process.exit(2);
}

/** Tests that start a Consul agent, by their own text or by that of the support files that they import. */
function findConsulTests(): readonly string[] {
  const files = globSync('test/**/*.test.ts', { cwd: projectDir }).toSorted();
  return files.filter((file) => {
    const text = readFileSync(join(projectDir, file), 'utf8');
    return file.startsWith('test/integration/') || /sandbox\.consul|Consul(Agent|Cluster)/.test(text);
  });
}

/** A folder with this one program in it, so that nothing else of the program's own folder gets onto PATH. */
function linkProgram(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'consul-edition-'));
  symlinkSync(resolve(path), join(folder, 'consul'));
  return folder;
}

const folder = linkProgram(program);
try {
  const version = execFileSync(join(folder, 'consul'), ['version'], { encoding: 'utf8', timeout: 10_000 });
  process.stdout.write(`${version.split('\n')[0]}\n`);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` };
  const files = wanted.length > 0 ? wanted : findConsulTests();
  const { status } = spawnSync(process.execPath, [join(projectDir, 'test/run.ts'), ...files], {
    cwd: projectDir,
    env,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
