// Reads apt's source lists, both forms (sources.list(5)): one line an entry, and deb822 stanzas. Pure: text in, entries out.

/**
 * @typedef {{ types: string[], uris: string[], suites: string[], components: string[], signedBy: string | undefined }} Source
 */

/** Entries of a one-line file (`/etc/apt/sources.list`, `*.list`). Lines that are not entries are skipped. */
export function parseOneLine(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) return [];
    const [, type, options = '', uri, suite, components] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [{ types: [type], uris: [uri], suites: [suite], components: words(components), signedBy }];
  });
}

/** Entries of a deb822 file (`*.sources`); stanzas with `Enabled: no` are left out. */
export function parseDeb822(text) {
  // Comment lines are allowed anywhere, also inside a stanza, and do not end it.
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const stanzas = lines.join('\n').split(/\n\s*\n/);
  return stanzas.map(parseStanza).flatMap((fields) => {
    const uris = words(fields.get('uris') ?? '');
    if (uris.length === 0 || /^(no|false|0|off)$/i.test(fields.get('enabled') ?? '')) return [];
    return [
      {
        types: words(fields.get('types') ?? ''),
        uris,
        suites: words(fields.get('suites') ?? ''),
        components: words(fields.get('components') ?? ''),
        signedBy: fields.get('signed-by'),
      },
    ];
  });
}

/**
 * The URIs of Debian's own main archive among entries, the likeliest first. Security archives and third-party repositories
 * are left out, because they hold no other Debian release. A wrong guess does no harm: what is fetched must carry Debian's
 * signature.
 */
export function debianMirrors(sources) {
  const scored = sources
    .filter(isMainArchive)
    .flatMap((source) => source.uris.map((uri) => ({ uri, score: score(uri, source) })));
  const likely = scored.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  return [...new Set(likely.map(({ uri }) => uri))];
}

const releaseNames =
  /^(buster|bullseye|bookworm|trixie|forky|duke|stable|oldstable|oldoldstable|testing|unstable|sid)$/;

function isMainArchive({ types, suites, components }) {
  return types.includes('deb') && components.includes('main') && suites.some((suite) => releaseNames.test(suite));
}

function score(uri, { signedBy }) {
  const { host, path } = split(uri);
  // "/debian" is where Debian's mirrors keep the archive; cloud images name "mirror+file:/etc/apt/mirrors/debian.list".
  if (!/(^|\/)debian(\.list)?$/.test(path)) return 0;
  let points = 1;
  if (path === '/debian') points += 1;
  if (/(^|\.)debian\.org$/.test(host)) points += 2;
  if (signedBy !== undefined && /\/debian-archive-[\w-]+\.(gpg|pgp|asc)$/.test(signedBy)) points += 4;
  return points;
}

function split(uri) {
  const match = /^[a-z0-9+]+:(?:\/\/([^/]*))?(\/.*)?$/i.exec(uri);
  const host = (match?.[1] ?? '').replace(/^.*@/, '').replace(/:\d+$/, '');
  return { host, path: (match?.[2] ?? '').replace(/\/+$/, '') };
}

function parseStanza(stanza) {
  const fields = new Map();
  let name;
  for (const line of stanza.split('\n')) {
    const field = /^([A-Za-z0-9-]+):(.*)$/.exec(line);
    if (field !== null) {
      name = field[1].toLowerCase();
      fields.set(name, field[2].trim());
    } else if (name !== undefined && /^\s/.test(line)) {
      fields.set(name, `${fields.get(name)}\n${line.trim()}`.trim());
    }
  }
  return fields;
}

function words(text) {
  return text.split(/\s+/).filter(Boolean);
}
