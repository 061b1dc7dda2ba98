import { type Pair, toPair } from './pair.ts';
import { catalogPairs } from './pairs/catalog.ts';
import { collectionPairs } from './pairs/collections.ts';
import { conversionPairs } from './pairs/conversions.ts';
import { cousinPairs } from './pairs/cousins.ts';
import { delimiterPairs } from './pairs/delimiters.ts';
import { formatPairs } from './pairs/formats.ts';
import { keyPairs } from './pairs/keys.ts';
import { logicPairs } from './pairs/logic.ts';
import { machinePairs } from './pairs/machine.ts';
import { numberPairs } from './pairs/numbers.ts';
import { servicePairs } from './pairs/services.ts';
import { textPairs } from './pairs/texts.ts';

/** Every template that both programs render. */
export const pairs: readonly Pair[] = [
  ...[
    ...keyPairs,
    ...servicePairs,
    ...catalogPairs,
    ...machinePairs,
    ...textPairs,
    ...numberPairs,
    ...logicPairs,
    ...collectionPairs,
    ...conversionPairs,
    ...cousinPairs,
    ...formatPairs,
  ].map((source) => toPair(source, 'text')),
  ...delimiterPairs,
];
