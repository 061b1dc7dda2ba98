import type { GoBlock, GoNode } from './syntax.ts';

type Text = GoNode & { readonly kind: 'text' };

/**
 * Gives blocks lines of their own, as templates of Handlebars have them. Templates of Go often trim the new line before a
 * block, and have one at the beginning of its body and one after its end. One at the end of the body and one before the
 * block print the same.
 */
export function moveNewLines(nodes: readonly GoNode[]): readonly GoNode[] {
  const moved = [...nodes];
  for (const [i, node] of moved.entries()) {
    if (node.kind === 'define') moved[i] = { ...node, body: moveNewLines(node.body) };
    if (!isBlock(node)) continue;
    const [before, after] = [moved[i - 1], moved[i + 1]];
    const isMovable =
      before?.kind === 'text' &&
      (before.text !== '' || moved[i - 2]?.kind === 'action') &&
      before.trimmedEnd?.includes('\n') === true &&
      after?.kind === 'text' &&
      after.text.startsWith('\n') &&
      branchesOf(node).every(beginsWithNewLine);
    const block = isMovable ? mapBranches(node, moveToEnd) : node;
    if (isMovable) {
      moved[i - 1] = { ...before, text: `${before.text}\n` };
      moved[i + 1] = { ...after, text: after.text.slice(1), trimmed: '\n' };
    }
    moved[i] = mapBranches(block, moveNewLines);
  }
  return moved;
}

function isBlock(node: GoNode): node is GoBlock {
  return node.kind === 'if' || node.kind === 'with' || node.kind === 'range';
}

/** `else if` is a block, alone within the else. */
function chainOf({ otherwise = [] }: GoBlock): GoBlock | undefined {
  const [only, ...others] = otherwise;
  return only !== undefined && others.length === 0 && isBlock(only) ? only : undefined;
}

function branchesOf(block: GoBlock): readonly (readonly GoNode[])[] {
  const chain = chainOf(block);
  if (chain !== undefined) return [block.body, ...branchesOf(chain)];
  return block.otherwise === undefined ? [block.body] : [block.body, block.otherwise];
}

function mapBranches(block: GoBlock, map: (nodes: readonly GoNode[]) => readonly GoNode[]): GoBlock {
  const chain = chainOf(block);
  const otherwise = chain === undefined ? block.otherwise && map(block.otherwise) : [mapBranches(chain, map)];
  return { ...block, body: map(block.body), otherwise };
}

function beginsWithNewLine([first]: readonly GoNode[]): boolean {
  return first?.kind === 'text' && first.text.startsWith('\n');
}

function moveToEnd([first, ...rest]: readonly GoNode[]): readonly GoNode[] {
  const text: Text = { ...(first as Text), text: (first as Text).text.slice(1), trimmed: '\n' };
  const last = rest.at(-1);
  if (last === undefined) return [{ ...text, text: `${text.text}\n` }];
  if (last.kind !== 'text') return [text, ...rest, { kind: 'text', text: '\n', trimmed: '' }];
  return [text, ...rest.slice(0, -1), { ...last, text: `${last.text}\n`, trimmedEnd: '' }];
}
