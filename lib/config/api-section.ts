import path from 'node:path';
import { readDocuments } from './document.ts';
import { mergeDocuments } from './merge.ts';
import { configError, type Path } from './problem.ts';
import { type RawApi, sections } from './schema.ts';

/** The section `api` of a config, with absolute paths and no file of it read. Throws `config-invalid`. */
export async function readApiSection(paths: readonly string[]): Promise<RawApi> {
  const { documents, problems } = await readDocuments(paths);
  if (problems.length > 0) throw configError(problems);
  const merged = mergeDocuments(documents);
  const parsed = sections.api.safeParse(merged.value.api ?? {});
  if (!parsed.success)
    throw configError([{ path: 'api', message: 'is not valid', hint: 'switchmaster check lists what is wrong' }]);
  const api = parsed.data;
  if (api === false) return false;
  const absolute = (file: string, at: Path): string => {
    const place = merged.place(['api', ...at]);
    return place === undefined ? path.resolve(file) : path.resolve(path.dirname(place.file), file);
  };
  const { tokenFile, tls } = api;
  return {
    ...api,
    ...(tokenFile === undefined ? {} : { tokenFile: absolute(tokenFile, ['tokenFile']) }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...tls,
            certFile: absolute(tls.certFile, ['tls', 'certFile']),
            keyFile: absolute(tls.keyFile, ['tls', 'keyFile']),
          },
        }),
  };
}
