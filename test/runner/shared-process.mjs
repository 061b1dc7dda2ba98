// Runs several test files in one process, each as a test by its name: to start Node and to load tap takes most of the CPU time
// of a short file. The default export of `tap` is the file's own test there.
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';

/** @type {{ test: import('tap').Test | undefined }} */
export const current = { test: undefined };

// By the environment, because tap names the folders of fixtures after the arguments.
const files = (process.env.TEST_FILES ?? '').split('\n');
const urls = new Map(files.map((file) => [file, pathToFileURL(resolve(file)).href]));
const sharing = new Set(urls.values());

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== 'tap' || !sharing.has(context.parentURL)) return nextResolve(specifier, context);
    return { url: new URL(`file-test.mjs?of=${context.parentURL}`, import.meta.url).href, shortCircuit: true };
  },
});

// The limit of tap is for one file.
t.setTimeout(0);
for (const [file, url] of urls) {
  t.test(file, async (t) => {
    current.test = t;
    await import(url);
  });
}
