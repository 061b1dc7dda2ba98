import { importErb } from '../erb/template.ts';
import type { ImportFile, ImportResult } from '../output.ts';
import { ImportOutput } from '../output.ts';

/** Templates of consul-templaterb. As there, the file without `.erb` is the destination. */
export async function importConsulTemplaterb(files: readonly ImportFile[]): Promise<ImportResult> {
  const output = new ImportOutput();
  const templates = files.map(({ path, text }) => {
    const { text: translated, remarks } = importErb(path, text);
    for (const remark of remarks) output.leave(path, remark);
    const destination = path.replace(/\.erb$/, '');
    const advice =
      'set reload to the command after the second colon of --template, or to the program of --exec with supervise';
    output.leave(path, { line: 1, what: 'reload', why: `the command for ${destination} is not imported`, advice });
    const source = output.addTemplate(destination.replace(/^.*\//, ''), translated);
    if (destination !== path) {
      output.expectAbsolute(path, { line: 1, what: 'destination', path: destination });
      return { source, destination };
    }
    const why = 'its name does not end with .erb, so its destination is not known';
    output.leave(path, { line: 1, what: 'destination', why, advice: 'write templates[].destination' });
    return { source, destination: 'TODO' };
  });
  return output.finish({ templates });
}
