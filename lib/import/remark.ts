/** What an import leaves to the operator. */
export interface RemarkText {
  /** In the imported file, from 1. */
  readonly line: number;
  /** The part of the file. */
  readonly what: string;
  readonly why: string;
  /** What to do, without a full stop. */
  readonly advice: string;
}

export interface Remark extends RemarkText {
  readonly file: string;
  /** `todo`: something is missing in the result. `difference`: it works, but not in the same way. */
  readonly kind: 'todo' | 'difference';
}
