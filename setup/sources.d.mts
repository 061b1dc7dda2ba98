export type Source = {
  types: string[];
  uris: string[];
  suites: string[];
  components: string[];
  signedBy: string | undefined;
};
export function parseOneLine(text: string): Source[];
export function parseDeb822(text: string): Source[];
export function debianMirrors(sources: readonly Source[]): string[];
