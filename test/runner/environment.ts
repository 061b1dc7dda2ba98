/** The variables that a Node process under test keeps of this process, where the rest of its environment is its own. */
export function nodeEnvironment(): Record<string, string> {
  const { PATH = '', NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_OPTIONS && { NODE_OPTIONS }), ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) };
}
