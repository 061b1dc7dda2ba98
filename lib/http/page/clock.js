/**
 * Times, by the server's clock: the operator's may be wrong.
 */
let aheadMs = 0;

/**
 * Learns the server's clock from the header Date of an answer, which has whole seconds.
 * @param {string | null} date
 */
export function setClock(date) {
  const server = Date.parse(date ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  aheadMs = Math.abs(difference) > 2_000 ? difference : 0;
}

/** Milliseconds since 1970, on the server. */
export function nowMs() {
  return Date.now() + aheadMs;
}

/** One formatter for all: to make one takes longer than to use it. */
const timeFormat = new Intl.DateTimeFormat([], {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/**
 * `03:12:44`, in the operator's timezone.
 * @param {string | number} at
 */
export function timeOfDay(at) {
  return timeFormat.format(new Date(at));
}

/**
 * `22 Nov, 03:12:44`: the day is left out today.
 * @param {string | number} at
 */
export function moment(at) {
  const date = new Date(at);
  if (date.toDateString() === new Date(nowMs()).toDateString()) return timeOfDay(at);
  return `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${timeOfDay(at)}`;
}

/**
 * `12 s`, `4 min`, `3 h`, `12 days`.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400 * 2) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/**
 * `6.8 ms`, `935 ms`, `2.3 s`, as `switchmaster why` writes them.
 * @param {number} ms
 */
export function duration(ms) {
  if (Math.abs(ms) >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.abs(ms) >= 100 ? Math.round(ms) : Math.round(ms * 10) / 10} ms`;
}

/**
 * An element that shows how long ago something was. `tick` updates it.
 * @param {string} at
 * @returns {HTMLTimeElement}
 */
export function ago(at) {
  const element = document.createElement('time');
  element.dateTime = at;
  element.title = new Date(at).toLocaleString();
  element.className = 'ago';
  element.textContent = span(nowMs() - Date.parse(at));
  return element;
}

const instant = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/**
 * A sentence of the daemon, with its times in the operator's timezone and with their age.
 * @param {string} text
 * @returns {readonly (string | Node)[]}
 */
export function withTimes(text) {
  return text.split(instant).flatMap((part, index) => {
    if (index % 2 === 0 || Number.isNaN(Date.parse(part))) return [part];
    return [`${moment(part)} (`, ago(part), ' ago)'];
  });
}

/** Renews every `ago` of the page. */
export function tick() {
  for (const element of document.querySelectorAll('time.ago')) {
    const text = span(nowMs() - Date.parse(/** @type {HTMLTimeElement} */ (element).dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
}
