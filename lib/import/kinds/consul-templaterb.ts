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
    output.differs(path, { line: 1, what: destination, why: 'its command line is not imported', advice });
    return { source: output.addTemplate(destination.replace(/^.*\//, ''), translated), destination };
  });
  return output.finish({ templates });
}
