import t from 'tap';
import { readComposeFile } from '../compose/file.ts';
import { blocksOf, codesIn, proseOf, readPage } from './pages.ts';

/* No container engine runs where the tests run. `npm run test:compose` carries out the commands at the top of docker-compose.yml. */

/** The commands of the page that `npm run test:compose` does not carry out, each with the reason. */
const notCarriedOut: Readonly<Record<string, string>> = {
  'docker compose logs --follow app': 'does not end; it carries out the same with --tail 4',
  'docker compose --profile cluster down --volumes': 'it stops each service by SIGTERM and removes its folder instead',
  'docker compose restart data-1': 'the page warns of it: only an engine restarts a container with another network',
  'docker compose up --force-recreate --wait': 'the repair after that',
  'redis-cli -h 172.29.86.30 -p 16379 role': 'the application connects to this address all the time there',
};

const page = await readPage('docs/guide/docker.md');
const texts = [...blocksOf(page).map(({ content }) => content), ...codesIn(proseOf(page).replaceAll('\n', ' '))];
const shown = texts
  .flatMap((text) => text.split('\n'))
  // `docker compose kill` names the verb alone.
  .filter((line) => /^(?:docker|dig|curl|redis-cli) ./.test(line) && !/^docker compose \w+$/.test(line));

t.test('each command of the page on Docker is carried out by a test, or has a reason why not', async (t) => {
  const { commands } = readComposeFile();
  t.ok(shown.length >= 9, `${shown.length} commands`);
  for (const command of shown)
    t.ok(commands.includes(command) !== command in notCarriedOut, `${command}: one of the two`);
  t.strictSame(
    Object.keys(notCarriedOut).filter((command) => !shown.includes(command)),
    [],
    'no reason is left over',
  );
});

t.test('each address and port of the page is one of the compose file', async (t) => {
  const { text } = await readPage('docker-compose.yml');
  const named = page.text.match(/\b172\.29\.86\.\d+|127\.0\.0\.1:\d+|\bports? [\d, and]+\d/g) ?? [];
  const numbers = named.flatMap((place) => (place.startsWith('172') ? [place] : (place.match(/\d{4,}/g) ?? [])));
  t.ok(numbers.length >= 6, numbers.join(' '));
  for (const number of numbers) t.match(text, number);
});
