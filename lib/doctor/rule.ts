import { formatAddress } from '../model/address.ts';
import type { Severity } from '../model/severity.ts';
import type { Examination, ExaminedMaster, ExaminedRedis } from './examination.ts';

type FaultSeverity = Extract<Severity, 'critical' | 'warning'>;

/** A fault with its fix. */
export interface Finding {
  /** The rule's name, or the code of `GET /v1/health`. It never changes: programs depend on it. */
  readonly rule: string;
  /** `critical`: something does not work or will not survive a fault. `warning`: it works, but not as expected. */
  readonly severity: FaultSeverity;
  /** A master's name, an address, a key in Consul, `consul` or `this machine`. */
  readonly subject: string;
  /** What is wrong, and what follows from it. */
  readonly text: string;
  /** What to do about it. */
  readonly hint: string;
  /** The page that describes the rule. */
  readonly doc: string;
}

/** What a rule finds at one subject. */
export interface Fault {
  readonly subject: string;
  readonly text: string;
  /** Default: the rule's. */
  readonly hint?: string;
  /** Default: the rule's. */
  readonly severity?: FaultSeverity;
}

/** A row of a table of rules. */
export interface Rule<K extends keyof Examination = keyof Examination> {
  readonly name: string;
  readonly severity: FaultSeverity;
  /** The parts of an examination that the rule reads. */
  readonly reads: readonly K[];
  /** What to do about the fault. `{subject}` stands for the subject. */
  readonly hint: string;
  readonly find: (examination: Pick<Examination, K>) => readonly Fault[];
}

const doc = 'docs/reference/cli.md#switchmaster-doctor';

/** Makes sure that `find` reads only what `reads` lists. */
export function rule<K extends keyof Examination>(row: Rule<K>): Rule<K> {
  return row;
}

/** A rule about Redis: `find` returns the text of a fault of one instance. */
export function instanceRule(
  row: Pick<Rule, 'name' | 'severity' | 'hint'> & {
    readonly find: (instance: ExaminedRedis, master: ExaminedMaster) => string | undefined;
  },
): Rule<'masters'> {
  return {
    ...row,
    reads: ['masters'],
    find: ({ masters }) =>
      masters.flatMap((master) =>
        master.instances.flatMap((instance) => fault(formatAddress(instance.address), row.find(instance, master))),
      ),
  };
}

/** A rule about masters: `find` returns the text of a fault, or the fault without its subject. */
export function masterRule(
  row: Pick<Rule, 'name' | 'severity' | 'hint'> & {
    readonly find: (master: ExaminedMaster) => string | Omit<Fault, 'subject'> | undefined;
  },
): Rule<'masters'> {
  return {
    ...row,
    reads: ['masters'],
    find: ({ masters }) => masters.flatMap((master) => fault(master.name, row.find(master))),
  };
}

/** A rule about Consul, which does not apply where Consul does not answer. */
export function consulRule<K extends keyof Examination = 'consul'>(
  row: Pick<Rule<K | 'consul'>, 'name' | 'severity' | 'hint'> & {
    readonly reads?: readonly K[];
    readonly find: (examination: Pick<Examination, K | 'consul'>) => string | readonly string[] | undefined;
  },
): Rule<K | 'consul'> {
  return {
    ...row,
    reads: ['consul', ...(row.reads ?? [])],
    find: (examination) => {
      if (examination.consul.state.kind === 'unreachable') return [];
      return [row.find(examination) ?? []].flat().map((text) => ({ subject: 'consul', text }));
    },
  };
}

/** Applies one rule. */
export function applyRule({ name, severity, hint, find }: Rule, examination: Examination): readonly Finding[] {
  return find(examination).map((fault) => ({
    rule: name,
    severity: fault.severity ?? severity,
    subject: fault.subject,
    text: fault.text,
    hint: (fault.hint ?? hint).replaceAll('{subject}', fault.subject),
    doc,
  }));
}

function fault(subject: string, found: string | Omit<Fault, 'subject'> | undefined): readonly Fault[] {
  if (found === undefined) return [];
  return [typeof found === 'string' ? { subject, text: found } : { subject, ...found }];
}
