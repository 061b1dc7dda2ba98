import { SwitchmasterError } from '../../errors.ts';
import { compileTemplate } from '../../template/compile.ts';
import type { RemarkText } from '../remark.ts';

/** What the compiler refuses in a result, apart from the marks. */
export function invalidMessages(template: {
  readonly text: string;
  readonly partials: ReadonlyMap<string, string>;
}): readonly RemarkText[] {
  const partials = new Map([...template.partials].map(([name, text]) => [name, { file: `_${name}.hbs`, text }]));
  try {
    compileTemplate({ template: { file: 'template', text: template.text }, partials, format: 'text' });
    return [];
  } catch (thrown) {
    const { details, message } = SwitchmasterError.from(thrown, 'template-invalid');
    const problems = (details.problems as readonly string[] | undefined) ?? [message];
    return problems
      .filter((problem) => !problem.includes('"byHand"'))
      .map((problem) => ({
        line: 1,
        what: 'the imported template',
        why: problem.replace(/[.]$/, ''),
        advice: 'correct this place of the result',
      }));
  }
}
