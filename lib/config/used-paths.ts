import type { HaproxySocket, TemplateSpec } from '../model/template-spec.ts';

/** The files and sockets of a template's consumer, by their keys in the config. */
export function usedPaths(
  template: Pick<TemplateSpec, 'reload'> & { readonly index: number },
): readonly (readonly [key: string, path: string])[] {
  const { reload, index } = template;
  const at = `templates[${index}].reload`;
  switch (reload?.kind) {
    case 'signal':
      return [[`${at}.pidFile`, reload.pidFile]];
    case 'haproxy':
      return [
        ...socketPath(`${at}.haproxy.socket`, reload.socket),
        ...socketPath(`${at}.haproxy.master`, reload.master),
      ];
    case 'command':
      return socketPath(`${at}.drain.socket`, reload.drain?.socket);
    case 'supervise':
    case undefined:
      return [];
  }
}

function socketPath(key: string, socket: HaproxySocket | undefined): readonly (readonly [string, string])[] {
  return typeof socket === 'string' ? [[key, socket]] : [];
}
