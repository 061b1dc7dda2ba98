import path from 'node:path';

/**
 * The relative links of the package's pages that lead to nothing in the package, as `page: target`.
 * `files`: all paths in the package. `pages`: the text of each Markdown file in it.
 */
export function findBrokenLinks(files: ReadonlySet<string>, pages: ReadonlyMap<string, string>): readonly string[] {
  return [...pages].flatMap(([page, text]) =>
    linksOf(text)
      .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
      .filter((target) => !isIn(files, path.join(path.dirname(page), target.replace(/#.*/, ''))))
      .map((target) => `${page}: ${target}`),
  );
}

function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^( *)```[\s\S]*?^\1```/gm, '').replace(/`[^`\n]*`/g, '');
  return [
    ...[...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    ...[...prose.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, target = '']) => target),
  ];
}

/** A folder is in the package if one of its files is. */
function isIn(files: ReadonlySet<string>, target: string): boolean {
  const name = target.replace(/\/$/, '');
  return files.has(name) || [...files].some((file) => file.startsWith(`${name}/`));
}
