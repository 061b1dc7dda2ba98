/*
 * Loaded before everything else, also by a Node.js that cannot parse or link the rest. The npm package's command has it in a file
 * of its own (`packaging/bin-entry.ts`). The single file links its imports of built-in modules first, so none of them names what
 * Node.js 18 does not have.
 */

/** As `engines` in package.json. */
export const neededNode = '22.18';

/** Why this Node.js cannot run switchmaster, and what to do; undefined if it can. */
export function describeOldNode(present: { readonly version: string; readonly path: string }): string | undefined {
  const [major = 0, minor = 0] = present.version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = neededNode.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return (
    `switchmaster needs Node.js ${neededNode} or newer, and this is ${present.version} (${present.path}).\n` +
    'Install a newer Node.js, or start switchmaster with one: /path/to/node "$(command -v switchmaster)" --version'
  );
}

const problem = describeOldNode({ version: process.versions.node, path: process.execPath });
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}
