/** The URIs of Debian's main archive in the machine's own source lists, the likeliest first. */
export function machineMirrors(): string[];
