import { createServer, type Server } from 'node:http';
import type { AsyncTask } from 'everstep';
import type { Picture } from './picture-task.ts';

export function webServer(picture: AsyncTask<Picture, string>): Server {
  return createServer((request, response) => {
    const what = request.url?.slice(1) ?? '';
    const answer = async (): Promise<object> =>
      request.method === 'POST'
        ? { id: await picture.submit({ name: what }) }
        : picture.getStatus(what);
    answer().then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
}
