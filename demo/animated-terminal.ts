/* A recording of a terminal as an SVG that plays by CSS alone, in light or dark colours as the reader's system has them. */

export interface RecordedLine {
  /** Since the start of the recording. */
  readonly atMs: number;
  /** With the terminal's colours (ECMA-48 SGR). */
  readonly text: string;
}

export interface Playback {
  /** Longer lines end with `…`. */
  readonly columns: number;
  readonly rows: number;
  /** Longer pauses are shortened to this. */
  readonly longestPauseMs: number;
  /** Each line stays the last one for at least this long. */
  readonly shortestPauseMs: number;
  /** How long the end stays before it begins again. */
  readonly holdMs: number;
}

const size = { font: 13, columnWidth: 7.83, rowHeight: 18, margin: 14 };
const classes: Readonly<Record<string, string>> = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 36: 'c' };

/** The whole document. */
export function drawRecording(lines: readonly RecordedLine[], playback: Playback): string {
  const shown = timesOf(lines, playback);
  const durationMs = (shown.at(-1) ?? 0) + playback.holdMs;
  const percent = (ms: number) => `${((ms / durationMs) * 100).toFixed(2)}%`;
  const texts = lines.map(({ text }, i) => {
    const y = size.margin + size.font + i * size.rowHeight;
    const content = spansOf(text, playback.columns);
    return content === ''
      ? ''
      : `<text class="l" style="animation-name:l${i}" x="${size.margin}" y="${y}">${content}</text>`;
  });
  const frames = shown.map((ms, i) => `@keyframes l${i}{0%{opacity:0}${percent(ms)}{opacity:1}}`);
  const scrolled = (i: number) => -Math.max(0, i + 1 - playback.rows) * size.rowHeight;
  const scrolls = shown.map((ms, i) => `${percent(ms)}{transform:translateY(${scrolled(i)}px)}`);
  const width = Math.ceil(playback.columns * size.columnWidth + 2 * size.margin);
  const height = playback.rows * size.rowHeight + 2 * size.margin;
  const end = scrolled(lines.length - 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>A failover, recorded in a terminal</title>
<style>
${styles(durationMs, end)}
@keyframes scroll{0%{transform:translateY(0)}${scrolls.join('')}100%{transform:translateY(${end}px)}}
${frames.join('\n')}
</style>
<clipPath id="p"><rect width="${width}" height="${height - size.margin}"/></clipPath>
<rect class="bg" width="${width}" height="${height}" rx="8"/>
<g clip-path="url(#p)"><g class="s">
${texts.filter((text) => text !== '').join('\n')}
</g></g>
</svg>
`;
}

function styles(durationMs: number, end: number): string {
  const animation = `${(durationMs / 1_000).toFixed(2)}s step-end infinite`;
  const colours = (bg: string, text: string, dim: string, red: string, green: string, cyan: string) =>
    `.bg{fill:${bg}}text{fill:${text}}.d{fill:${dim}}.r{fill:${red}}.g{fill:${green}}.c{fill:${cyan}}`;
  return `text{font:${size.font}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}.b{font-weight:bold}
${colours('#f6f8fa', '#1f2328', '#59636e', '#c0252d', '#1a7f37', '#0969da')}
@media(prefers-color-scheme:dark){${colours('#151b23', '#e6edf3', '#9198a1', '#ff7b72', '#56d364', '#79c0ff')}}
.l{animation:${animation}}.s{animation:scroll ${animation};transform:translateY(${end}px)}
@media(prefers-reduced-motion:reduce){.l,.s{animation:none}}`;
}

/** When each line is shown. */
function timesOf(lines: readonly RecordedLine[], { longestPauseMs, shortestPauseMs }: Playback): readonly number[] {
  let atMs = 0;
  return lines.map((line, i) => {
    const pauseMs = line.atMs - (lines[i - 1]?.atMs ?? 0);
    atMs += Math.min(Math.max(pauseMs, shortestPauseMs), longestPauseMs);
    return Math.round(atMs);
  });
}

/** The line as text and `tspan`s. */
function spansOf(text: string, columns: number): string {
  let left = columns;
  let open = '';
  const pieces = text.split('\u001b[').map((piece, i) => {
    const [, code, after = ''] = i === 0 ? [piece, undefined, piece] : (/^(\d+)m(.*)$/.exec(piece) ?? []);
    if (code !== undefined) open = classes[code] ?? '';
    const fitting = after.length > left ? `${after.slice(0, Math.max(0, left - 1))}…` : after;
    const drawn = left <= 0 || fitting === '' ? '' : escapeText(fitting);
    left -= fitting.length;
    return open === '' || drawn === '' ? drawn : `<tspan class="${open}">${drawn}</tspan>`;
  });
  return pieces.join('').trimEnd();
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
