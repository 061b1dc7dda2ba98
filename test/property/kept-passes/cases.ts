import type { Lookup } from '../../../lib/template/scope.ts';
import type { RandomTemplate } from './templates.ts';
import { firstState, type State } from './worlds.ts';

/* Stories in which one rule about kept passes matters, and no other. */

interface Case {
  readonly rule: string;
  readonly format: RandomTemplate['format'];
  readonly text: string;
  readonly partials?: RandomTemplate['partials'];
  /** The template renders the first state several times, and then each of the others. */
  readonly states: readonly State[];
}

const list = '{{#each services as |s|}}{{#each (service s.name) as |i|}}{{i.address}} {{i.port}}\n{{/each}}{{/each}}';
const first = firstState();

function withAnswers(answers: Readonly<Record<string, Lookup<unknown>>>, local: Partial<State['local']> = {}): State {
  return { answers: new Map([...first.answers, ...Object.entries(answers)]), local: { ...first.local, ...local } };
}

function withKey(key: string, value: string): Readonly<Record<string, Lookup<unknown>>> {
  return { [`key(${key})`]: { kind: 'known', value: { key, value, modifyIndex: 1 } } };
}

const gone: Lookup<unknown> = { kind: 'known', value: undefined, former: { key: 'k', value: 'old' } };
const [instance] = (first.answers.get('service(a)') as { value: readonly object[] }).value;
const include: Lookup<unknown> = { kind: 'known', value: [{ ...instance, address: 'include' }] };
const json = `(len (default (parseJSON (keyOrDefault "json" "")) "12"))`;

const services = (first.answers.get('services') as { value: ReadonlyMap<string, readonly string[]> }).value;
const fewer: Lookup<unknown> = { kind: 'known', value: new Map([...services].slice(1)) };

/** One answer: a pass is kept while it stays the same object. */
const empty = withKey('json', '');

export const cases: readonly Case[] = [
  {
    rule: 'a pass that warns warns again',
    format: 'conf',
    text: '{{#each services as |s|}}{{key "k"}} {{s.name}}\n{{/each}}',
    states: [first, withAnswers({ 'key(k)': gone }), withAnswers({ 'key(k)': gone }), first],
  },
  {
    rule: 'a text becomes a secret before its pass',
    format: 'conf',
    text: `{{envOrDefault "S" "d"}}\n${list}`,
    states: [first, withAnswers({}, { secret: '10.0.0.9' }), first, first, withAnswers({}, { secret: '10.0.0.9' })],
  },
  {
    rule: 'a pass begins where what is before it ends',
    format: 'conf',
    text: '{{raw (keyOrDefault "w" "")}}{{#each services as |s|}}{{s.name}}\n{{/each}}',
    states: [first, ...['word ', '%', '"', '# ', ''].map((text) => withAnswers(withKey('w', text)))],
  },
  {
    rule: 'a pass within a line is another one at its beginning',
    format: 'conf',
    text: `{{raw (keyOrDefault "w" "")}}${list}`,
    states: ['word ', 'word ', ''].map((text) => withAnswers({ ...withKey('w', text), 'service(a)': include })),
  },
  {
    rule: 'what follows a pass that ends no line is a part of it',
    format: 'redis',
    text: '{{#each (service "a") as |i|}}x{{i.id}}{{/each}}{{keyOrDefault "w" "d"}}\n',
    states: [first, withAnswers(withKey('w', 'a b'))],
  },
  {
    rule: 'a helper knows whether anything is missing',
    format: 'text',
    text: `{{keyOrDefault "n" ""}}\n{{#each services as |s|}}{{#each (service (print "s" ${json}))}}{{address}}\n{{/each}}x\n{{/each}}`,
    states: [withAnswers(empty), withAnswers({ ...empty, 'key(n)': { kind: 'unknown' } })],
  },
  {
    rule: 'the masters that a pass shows are those of the render',
    format: 'text',
    text: '{{#each services as |s|}}{{#each redisMasters}}{{address}}\n{{/each}}{{/each}}',
    states: [first, first],
  },
  {
    rule: 'two loops have passes of their own',
    format: 'text',
    text: '{{#each services as |s|}}a {{s.name}}\n{{/each}}{{#each services as |s|}}b {{s.name}}\n{{/each}}',
    states: [first, first],
  },
  {
    rule: 'a pass without a text marks nothing',
    format: 'conf',
    text: 'word {{#each services as |s|}}{{#if (eq s.name "z")}}z{{/if}}{{/each}}{{keyOrDefault "k" "d"}}\n',
    states: [first, withAnswers(withKey('k', 'e'))],
  },
  {
    rule: 'a pass of an indented partial has the indentation of its place',
    format: 'text',
    text: 'a\n  {{> p}}\n    {{> p}}\n',
    partials: new Map([['p', list]]),
    states: [first],
  },
  {
    rule: 'a pass without a text ends no indented partial',
    format: 'conf',
    text: 'a\n  {{> p}}\nb\n',
    partials: new Map([['p', 'x\n{{#each services as |s|}}{{#if (eq s.name "z")}}z\n{{/if}}{{/each}}']]),
    states: [first],
  },
  {
    rule: 'a pass that names a value from around its loop is another one with another value',
    format: 'conf',
    text: '{{#with (key "k") as |w|}}{{#each services as |s|}}{{w}} {{s.name}}\n{{/each}}{{/with}}',
    states: [first, withAnswers(withKey('k', 'e'))],
  },
  {
    rule: 'the second name of a loop is a place in its list',
    format: 'conf',
    text: '{{#each services as |s n|}}{{n}} {{s.name}}\n{{/each}}',
    states: [first, withAnswers({ services: fewer })],
  },
];
