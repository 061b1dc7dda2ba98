// Runs the commands of `switchmaster` on a machine of a guide, in one process, because the start of the program takes a second of CPU
// time: command-server.ts SOCKET. A request for /FILE has the working folder, the variables of the environment that the reader has set, an empty
// text, and the arguments, each with a NUL after it. The answer is what the command prints on standard output; FILE gets its standard error.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../cmd/command.ts';

const [socket = ''] = process.argv.slice(2);
const { PATH = '', MACHINE = '' } = process.env;

createServer((request, response) => {
  void text(request)
    .then((body) => {
      const [folder = '', ...words] = body.split('\0').slice(0, -1);
      process.chdir(folder);
      const end = words.indexOf('');
      const variables = words
        .slice(0, end)
        .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]);
      return runCommand(words.slice(end + 1), { ...Object.fromEntries(variables), PATH, MACHINE });
    })
    .then(({ code, stdout, stderr }) => {
      writeFileSync(request.url ?? '', stderr);
      response.writeHead(code === 0 ? 200 : 500).end(stdout);
    });
}).listen(socket);
