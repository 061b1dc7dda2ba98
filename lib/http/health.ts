import type { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { type HealthCode, healthCodes } from '../model/health.ts';
import { healthGuide } from '../model/health-guide.ts';
import type { Api } from './api.ts';
import { healthAnswer, healthCodesAnswer, liveAnswer, nodeAnswer, readyAnswer } from './health-shapes.ts';
import type { HealthView, NodeView } from './views.ts';

type Orders = z.output<typeof nodeAnswer>['orders'];

/** `/live` is about the process, `/ready` about the first full observation, `/v1/health` about everything. */
export function addHealthRoutes(
  server: Api,
  options: { readonly health: HealthView; readonly node: NodeView; readonly version: string; readonly orders: Orders },
): void {
  const { health, node, version, orders } = options;
  const live = { summary: 'Check that the process lives', response: { 200: liveAnswer } };
  server.get('/live', { schema: live }, async () => ({
    live: true as const,
    version,
    uptimeSeconds: Math.round(process.uptime() * 10) / 10,
  }));
  const ready = { summary: 'Check that the first full observation is done', response: { 200: readyAnswer } };
  server.get('/ready', { schema: ready }, async () => {
    const missing = health.notReady().map(({ text }) => text);
    if (missing.length === 0) return { ready: true as const };
    const message = `not ready: ${missing.join('; ')}`;
    throw new SwitchmasterError('not-ready', message, { details: { missing } });
  });
  const judged = { summary: 'Read whether all is well, and why not', response: { 200: healthAnswer } };
  server.get('/v1/health', { schema: judged }, async () => health.read());
  const coded = { summary: 'Read what each code of /v1/health means', response: { 200: healthCodesAnswer } };
  server.get('/v1/health/codes', { schema: coded }, async () => ({ codes }));
  const named = { summary: 'Read which node this is, and what it does', response: { 200: nodeAnswer } };
  server.get('/v1/node', { schema: named }, async () => ({ name: node.name, version, parts: node.parts(), orders }));
}

const codes = (Object.keys(healthCodes) as HealthCode[]).map((code) => ({
  code,
  level: healthCodes[code].level,
  ...healthGuide[code],
}));
