/**
 * Whether the page is current: the mark in the header, and the band across the page if the data is old.
 *
 * @import { World } from './api.d.ts'
 */
import { span, timeOfDay } from './clock.js';
import { byId, say } from './dom.js';

/** @param {World} world */
export function showLink({ link }) {
  const pill = byId('link');
  const band = byId('old');
  pill.dataset.link = link.kind;
  document.body.dataset.link = link.kind;
  band.hidden = link.kind !== 'old';
  switch (link.kind) {
    case 'connecting':
      return say(byId('link-text'), 'Connecting');
    case 'live':
      say(band, '');
      return say(byId('link-text'), 'Live');
    case 'old': {
      say(byId('link-text'), link.sinceMs === 0 ? 'No answer' : `${span(Date.now() - link.sinceMs)} old`);
      // The band is an alert: a screen reader reads it once, so it has no number that changes.
      return say(band, oldText(link));
    }
  }
}

/** @param {Extract<World['link'], { kind: 'old' }>} link */
function oldText({ sinceMs, refusal }) {
  const when = sinceMs === 0 ? '' : `Old: this is how things were at ${timeOfDay(sinceMs)}. `;
  const why = refusal === null ? 'switchmaster does not answer' : `The server refuses to answer (${refusal})`;
  return `${when}${why}; this page tries again every second.`;
}
