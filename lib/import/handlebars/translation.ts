import type { GoNode } from '../go/syntax.ts';
import type { RemarkText } from '../remark.ts';
import type { ScratchNames } from './names.ts';
import type { Value } from './scope.ts';
import type { Shape } from './shapes.ts';
import type { OutputPiece } from './write.ts';

/** A call of a template by another. */
export interface PartialCall {
  readonly name: string;
  readonly shape: Shape;
}

export interface Translation {
  readonly pieces: readonly OutputPiece[];
  readonly remarks: readonly RemarkText[];
  readonly calls: readonly PartialCall[];
}

export interface TranslationInput {
  readonly nodes: readonly GoNode[];
  readonly dot: Value;
  /** The value of `$`. */
  readonly root: Value;
  readonly names: ScratchNames;
  /** The name of the partial for a template; undefined if there is no such template. */
  readonly partial: (name: string) => string | undefined;
}
