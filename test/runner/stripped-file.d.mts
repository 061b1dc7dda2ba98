export function strippedFile(source: string): URL;
