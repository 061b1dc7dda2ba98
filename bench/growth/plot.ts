/** One line of a plot. A point whose `y` is not finite is left out. */
interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
}

const width = 640;
const height = 340;
const frame = { left: 76, right: width - 150, top: 40, bottom: height - 52 };

/** An SVG with logarithmic axes, readable in light and dark. Values of 0 or less stand on the lower edge. */
export function drawPlot({ title, xLabel, yLabel, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points).filter(({ y }) => Number.isFinite(y));
  const xs = axisOf(points.map(({ x }) => x));
  const ys = axisOf(points.map(({ y }) => y));
  const x = (value: number) => fixed(frame.left + xs.share(value) * (frame.right - frame.left));
  const y = (value: number) => fixed(frame.bottom - ys.share(value) * (frame.bottom - frame.top));
  const ticksX = xs.ticks.map(
    (tick) =>
      `<path class="grid" d="M${x(tick)} ${frame.top}V${frame.bottom}"/><text class="s m" x="${x(tick)}" y="${frame.bottom + 18}">${format(tick)}</text>`,
  );
  const ticksY = ys.ticks.map(
    (tick) =>
      `<path class="grid" d="M${frame.left} ${y(tick)}H${frame.right}"/><text class="s e" x="${frame.left - 8}" y="${y(tick) + 4}">${format(tick)}</text>`,
  );
  const labels = spread(lines.map((line) => y(lastOf(line))));
  const drawn = lines.map((line, index) => {
    const known = line.points.filter((point) => Number.isFinite(point.y));
    const path = known.map((point, n) => `${n === 0 ? 'M' : 'L'}${x(point.x)} ${y(point.y)}`).join('');
    const dots = known
      .map((point) => `<circle class="d${index}" cx="${x(point.x)}" cy="${y(point.y)}" r="3"/>`)
      .join('');
    const label = `<text class="s t${index}" x="${frame.right + 8}" y="${fixed((labels[index] ?? 0) + 4)}">${escapeXml(line.label)}</text>`;
    return `<path class="l${index}" d="${path}"/>${dots}${label}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t" font-family="system-ui, sans-serif" font-size="14">`,
    `<title id="t">${escapeXml(title)}</title>`,
    style,
    `<text x="${frame.left}" y="22">${escapeXml(title)}</text>`,
    ...ticksX,
    ...ticksY,
    `<text class="s m" x="${(frame.left + frame.right) / 2}" y="${height - 12}">${escapeXml(xLabel)}</text>`,
    `<text class="s m" transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)">${escapeXml(yLabel)}</text>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

const lightColors = ['#0969da', '#bc4c00', '#1a7f37', '#8250df', '#57606a'];
const darkColors = ['#58a6ff', '#f0883e', '#3fb950', '#bc8cff', '#9aa4ae'];

const style = `<style>
text { fill: #1f2328; } .s { font-size: 12px; } .m { text-anchor: middle; } .e { text-anchor: end; }
path { fill: none; stroke-width: 2; } .grid { stroke: #d0d7de; stroke-width: 1; }
${colorRules(lightColors)}
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .grid { stroke: #30363d; } ${colorRules(darkColors)} }
</style>`;

function colorRules(colors: readonly string[]): string {
  return colors.map((color, i) => `.l${i} { stroke: ${color}; } .d${i}, .t${i} { fill: ${color}; }`).join(' ');
}

/** Decades, or steps of 1, 2 and 5 within fewer than two decades. */
function axisOf(values: readonly number[]): {
  readonly share: (value: number) => number;
  readonly ticks: readonly number[];
} {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive, Infinity), Math.max(...positive, 0)];
  if (most === 0) return { share: () => 0, ticks: [] };
  const [low, high] = [
    Math.floor(Math.log10(least)),
    Math.max(Math.ceil(Math.log10(most)), Math.floor(Math.log10(least)) + 1),
  ];
  const steps = high - low < 2 ? [1, 2, 5] : [1];
  const ticks = Array.from({ length: high - low }, (_, k) => steps.map((step) => step * 10 ** (low + k))).flat();
  const share = (value: number) => (value <= 0 ? 0 : (Math.log10(value) - low) / (high - low));
  return { share, ticks: [...ticks, 10 ** high] };
}

/** Places of labels, at least a line's height apart, in the order of their lines' ends. */
function spread(places: readonly number[]): readonly number[] {
  const order = places.map((_, index) => index).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const spaced = [...places];
  let least = frame.top;
  for (const index of order) {
    least = Math.max(least, places[index] ?? 0);
    spaced[index] = least;
    least += 15;
  }
  return spaced;
}

function lastOf({ points }: Line): number {
  return points.findLast(({ y }) => Number.isFinite(y))?.y ?? 0;
}

function format(value: number): string {
  return value >= 1_000 ? value.toLocaleString('en-US') : String(Number(value.toPrecision(2)));
}

function fixed(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
