type Entry = {
  version?: string;
  integrity?: string;
  optional?: boolean;
  devOptional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
};
type Lock = {
  packages?: Record<string, Entry>;
};
export function modulesCurrent(dir?: string): boolean;
export function satisfies(installed: Lock, wanted: Lock): boolean;
export function missingBindings(
  installed: Lock,
  wanted: Lock,
  platform: { os: string; cpu: string; libc: string },
): string[];
export function bindingsToInstall(dir?: string): string[];
