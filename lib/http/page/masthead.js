/** The masthead, which stays in view. What scrolls or stays below it must know its height. */
import { byId, withVars } from './dom.js';

export function measureMasthead() {
  const masthead = byId('masthead');
  const measure = () => {
    const stays = getComputedStyle(masthead).position === 'sticky';
    withVars(document.documentElement, { masthead: `${stays ? masthead.offsetHeight : 0}px` });
  };
  new ResizeObserver(measure).observe(masthead);
}
