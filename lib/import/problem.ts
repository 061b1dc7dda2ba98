import { SwitchmasterError } from '../errors.ts';

/** A file that is not of its kind. Code `import-invalid`; the message begins with the place. */
export function importInvalid(
  at: { readonly file: string; readonly line?: number },
  message: string,
): SwitchmasterError {
  const place = at.line === undefined ? at.file : `${at.file}:${at.line}`;
  return new SwitchmasterError('import-invalid', `${place}: ${message}.`);
}
