type Lock = {
  packages?: Record<string, { version?: string; integrity?: string; optional?: boolean; devOptional?: boolean }>;
};
export function modulesCurrent(dir?: string): boolean;
export function satisfies(installed: Lock, wanted: Lock): boolean;
