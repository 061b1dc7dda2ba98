const deep = Array.from({ length: 100_000 }).reduce<unknown[]>((list) => [list], []);

/** What JavaScript cannot convert to text. A server may send the last one. */
export const notTexts: readonly unknown[] = [
  { toString: {} },
  Object.create(null),
  Symbol('x'),
  [{ toString: {} }],
  deep,
];
