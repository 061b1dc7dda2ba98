/** What a Node process under test inherits of this process's environment, where it is to have one of its own otherwise. */
export function nodeEnvironment(): Record<string, string> {
  const { PATH = '', NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_OPTIONS && { NODE_OPTIONS }), ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) };
}
