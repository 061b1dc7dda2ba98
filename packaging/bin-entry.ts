/* The npm package's command, in a file that every Node.js can run: one that is too old for the bundle says so and ends with 2. */
import '../cmd/node-version.ts';

// Not in one expression: the bundler would look for the file.
const program = './switchmaster.mjs';
void import(program);
