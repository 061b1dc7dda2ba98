// First: it ends the process where Node.js is too old for the rest.
import '../cmd/node-version.ts';
import { renderProcessArgument } from '../lib/package-files.ts';

/* The program of the single-file bundle: the command line, and the program of a render process, which the daemon starts. */
if (process.argv[2] === renderProcessArgument && process.send !== undefined) {
  void import('../lib/template/bounded/child.ts');
} else {
  void import('../cmd/switchmaster.ts');
}
