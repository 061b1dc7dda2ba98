import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';

/** Nothing may be loaded from elsewhere, framed, sniffed or kept. On every answer. */
export const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const statuses: { readonly [C in ErrorCode]?: number } = {
  'request-invalid': 400,
  'request-denied': 401,
  'not-found': 404,
  'failover-refused': 409,
  'rebase-refused': 409,
  'approve-refused': 409,
  'request-too-large': 413,
  'request-throttled': 429,
  internal: 500,
};

/** The one shape of an error. Whatever is not about the request or a defect is 503: it may work later. */
export function sendFailure(reply: FastifyReply, error: SwitchmasterError): FastifyReply {
  const details = error.code === 'internal' ? {} : error.details;
  const message = error.code === 'internal' ? 'a defect in switchmaster; its log says more' : error.message;
  reply.headers(securityHeaders);
  return reply.code(statuses[error.code] ?? 503).send({ error: { ...details, code: error.code, message } });
}

/** What Fastify and Node refuse by themselves, in our codes. Anything else that was thrown is a defect. */
export function fromThrown(thrown: unknown): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const status = (thrown as { statusCode?: unknown } | undefined)?.statusCode;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (status === 413) return new SwitchmasterError('request-too-large', message, { cause: thrown });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new SwitchmasterError('request-invalid', message, { cause: thrown });
  }
  return SwitchmasterError.from(thrown);
}

export function notFound(request: FastifyRequest): SwitchmasterError {
  const path = request.url.split('?', 1)[0]?.slice(0, 200) ?? '';
  return new SwitchmasterError('not-found', `there is no ${request.method} ${path}`);
}
