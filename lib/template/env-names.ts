/** One sentence for each variable that a KEY=value file sets twice: the names of two masters can give the same one. */
export function describeRepeatedVariables(text: string): readonly string[] {
  const names = [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=/gm)].map(([, name = '']) => name);
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated].map((name) => `The variable ${name} is set twice: only one of the values counts.`);
}
