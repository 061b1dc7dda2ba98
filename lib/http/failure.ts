import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, SwitchmasterError } from '../errors.ts';

/** Headers of every answer: they forbid to load anything from elsewhere, to frame, to sniff and to cache. */
export const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Sends the one shape of an error, with the status from the error table. */
export function sendFailure(reply: FastifyReply, error: SwitchmasterError): FastifyReply {
  const details = error.code === 'internal' ? {} : error.details;
  const message = error.code === 'internal' ? 'a defect in switchmaster; its log has the details' : error.message;
  reply.headers(securityHeaders);
  return reply.code(errorTable[error.code].httpStatus).send({ error: { ...details, code: error.code, message } });
}

/** Maps what Fastify and Node refuse to our codes. Any other error is a defect. */
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
