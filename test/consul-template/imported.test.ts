import t from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import { GoSyntaxError } from '../../lib/import/go/syntax.ts';
import { importGoTemplate } from '../../lib/import/handlebars/template.ts';
import type { DifferenceName } from './differences.ts';
import { isSame, type Outcome, showOutcome } from './outcome.ts';
import type { Pair } from './pair.ts';
import { pairs } from './pairs.ts';
import { readRecorded } from './recorded.ts';
import { startReplay } from './replay.ts';
import { SwitchmasterSide } from './switchmaster.ts';

/* What `npm run test:consul-template` recorded of consul-template, against the same templates after `switchmaster import`. */

/** Pairs that are written in another way by hand, and so have no difference there. */
const differs: Readonly<Record<string, DifferenceName>> = {
  '{{ key "app/pem" }}': 'several-lines',
  '{{ with node "none" }}{{ with .Node }}{{ .Node }}{{ else }}none{{ end }}{{ end }}': 'missing',
  '{{ split 1 "a1b" }}': 'lenient',
  '{{ split "," 5 }}': 'lenient',
  '{{ (parseYAML "a: {b: [1, {c: ü}]}").a.b }}': 'collections',
};

/** One of `known`, or a description. */
type Judgement = string;

async function judge(
  pair: Pair,
  { their, side }: { readonly their: Outcome; readonly side: SwitchmasterSide },
): Promise<Judgement> {
  const { consulTemplate, delimiters, ...braced } = pair;
  try {
    const { text, remarks } = importGoTemplate(consulTemplate, delimiters === undefined ? {} : { delimiters });
    if (remarks.length > 0) return 'marked';
    // Another test renders these.
    if (text === pair.switchmaster) return 'as written by hand';
    const our = await side.render({ ...braced, consulTemplate, switchmaster: text });
    if (isSame(their, our)) return 'the same';
    if (pair.differs !== undefined || Object.hasOwn(differs, consulTemplate)) return 'a listed difference';
    return `different: ${consulTemplate}\n  ${text}\n  consul-template: ${showOutcome(their)}\n  switchmaster: ${showOutcome(our)}`;
  } catch (thrown) {
    if (!(thrown instanceof GoSyntaxError)) throw thrown;
    return their.kind === 'text' ? `not read: ${consulTemplate}: ${thrown.message}` : 'refused by both';
  }
}

t.test('imported templates give what consul-template gives, or are marked', async (t) => {
  const { at, results, answers } = readRecorded();
  const replay = await startReplay(answers);
  const client = new ConsulClient(replay);
  const side = new SwitchmasterSide(client, new Date(at));
  const judgements: Judgement[] = [];
  for (const pair of pairs) {
    const their = results[pair.consulTemplate];
    if (their !== undefined) judgements.push(await judge(pair, { their, side }));
  }
  client.close();
  replay.close();
  const count = (judgement: Judgement) => judgements.filter((one) => one === judgement).length;
  const known = ['as written by hand', 'marked', 'refused by both', 'the same', 'a listed difference'];
  t.strictSame(
    judgements.filter((one) => !known.includes(one)),
    [],
  );
  // Nearly all are translated.
  t.ok(count('as written by hand') + count('the same') > pairs.length * 0.85, JSON.stringify(known.map(count)));
  t.ok(count('marked') < pairs.length * 0.05);
});
