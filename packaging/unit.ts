/** The unit of the Debian package: with the package's own program, whichever is first on a PATH. */
export function packagedUnit(unit: string): string {
  return unit
    .replace('/usr/bin/env switchmaster', '/usr/bin/switchmaster')
    .replace("'switchmaster check", "'/usr/bin/switchmaster check");
}
