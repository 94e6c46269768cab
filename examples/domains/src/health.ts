/** Tells whoever starts processes how this one does: `GET /live` and `GET /ready` on HEALTH_PORT, where that is set. */
import { createServer, type Server } from 'node:http';

export interface Health {
  /** False: only a new process will do better. A process that spins does not answer, which says the same. */
  readonly live: () => boolean;
  /** It does its work. */
  readonly ready: () => boolean;
}

export function serveHealth(health: Health): Server | undefined {
  const { HEALTH_PORT, HOST = '127.0.0.1' } = process.env;
  if (HEALTH_PORT === undefined) return undefined;
  const questions = new Map([
    ['/live', health.live],
    ['/ready', health.ready],
  ]);
  const server = createServer(({ url = '' }, response) => {
    const answer = questions.get(url)?.();
    response.writeHead(answer === undefined ? 404 : answer ? 200 : 503).end();
  });
  return server.listen(Number(HEALTH_PORT), HOST);
}
