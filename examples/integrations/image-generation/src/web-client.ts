/** What a caller of the web process does. */
import type { TaskStatus } from 'everstep';
import type { ImageRequestRecord } from './model.ts';

export interface ImageStatus extends ImageRequestRecord {
  readonly task: Omit<TaskStatus, 'result' | 'failure'>;
  readonly webUi?: string;
}

export class WebClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @returns the request's id. */
  async requestImage(prompt: string): Promise<string> {
    const reply = await this.post('/api/interaction/RequestImage', { payload: { prompt } });
    if (reply.status !== 202) throw new Error(`${reply.status}: ${await reply.text()}`);
    return ((await reply.json()) as { id: string }).id;
  }

  async status(id: string): Promise<ImageStatus> {
    const reply = await this.post('/api/custom/image-generation/status', { id });
    if (reply.status !== 200) throw new Error(`${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as ImageStatus;
  }

  async picture(path: string): Promise<string> {
    return (await fetch(new URL(path, this.#url))).text();
  }

  /** Asks until record and task have ended. */
  async ended(id: string, timeoutMs = 120_000): Promise<ImageStatus> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const status = await this.status(id);
      const isOpen = ['pending', 'submitted'].includes(status.status);
      if (!isOpen && !['pending', 'processing'].includes(status.task.status)) return status;
      if (Date.now() > deadline) return status;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    return fetch(new URL(path, this.#url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }
}
