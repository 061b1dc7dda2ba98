/** Whether so many words, the name included, fit an arity. */
export function fitsArity(arity: number, words: number): boolean {
  return arity < 0 ? words >= -arity : words === arity;
}
