// Writes the parts of the reference that come from the code: npm run docs.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedParts, withPart } from './generated.ts';
import { projectDir } from './pages.ts';

for (const part of generatedParts) {
  const file = join(projectDir, part.page);
  await writeFile(file, withPart(await readFile(file, 'utf8'), part));
}
