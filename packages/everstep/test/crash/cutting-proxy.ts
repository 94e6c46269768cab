/** Between processes and their database: lets all pass, and now and then loses the answer to a commit, or the commit. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Chance } from '../chance.ts';

/** What becomes of a commit whose process loses its connection over it. */
const fates = ['on its way', 'answered', 'late', 'torn'] as const;
type Fate = (typeof fates)[number];

const lateMsMax = 60;

export class CuttingProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #isCommit: (sent: Buffer) => boolean;
  readonly #sockets = new Set<Socket>();
  #chance: Chance | undefined;
  #left = 0;
  #onCut: (() => void) | undefined;

  /** `isCommit` tells by what a client sends at once. */
  constructor(target: number, isCommit: (sent: Buffer) => boolean) {
    this.#target = target;
    this.#isCommit = isCommit;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** Resolves with its port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Loses that many of the next commits, or their answers. */
  async cut(count: number, chance: Chance): Promise<void> {
    this.#chance = chance;
    this.#left = count;
    await new Promise<void>((resolve) => (this.#onCut = resolve));
  }

  /** Loses nothing more. */
  rest(): void {
    this.#left = 0;
  }

  #serve(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const isOver = { cut: false };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('data', (sent) => {
      if (isOver.cut) return;
      isOver.cut = this.#left > 0 && this.#isCommit(sent);
      if (isOver.cut) this.#cut(client, server, sent);
      else server.write(sent);
    });
    server.on('data', (answer) => {
      if (!isOver.cut) client.write(answer);
    });
    client.on('close', () => {
      if (!isOver.cut) server.destroy();
    });
    server.on('close', () => client.destroy());
  }

  #cut(client: Socket, server: Socket, sent: Buffer): void {
    const chance = this.#chance;
    if (chance === undefined) return;
    const fate: Fate = chance.pick(fates);
    this.#left -= 1;
    if (fate === 'answered') {
      server.once('data', () => client.destroy());
      server.write(sent, () => server.end());
    } else {
      client.destroy();
      const whole = fate === 'torn' ? sent.subarray(0, chance.whole(1, sent.length)) : sent;
      const wait = fate === 'late' ? chance.whole(1, lateMsMax) : 0;
      setTimeout(() => server.write(whole, () => server.end()), wait);
    }
    if (this.#left === 0) this.#onCut?.();
  }
}
