/** The processes of a round as their parent sees them: spawned ahead, asked, killed, replaced. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compile, type Compiled } from './compiled.ts';
import type { GroundName } from './grounds.ts';
import type { Asked, Command, Role, Said } from './messages.ts';

/** The process died before it answered. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/** The process answered with an error. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Crewman {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #onSaid: ((said: string) => void) | undefined;
  readonly #unheard: string[] = [];
  #lastId = 0;
  #stderr = '';
  role: Role = 'both';
  name = '';
  /** It has answered to its start, and has not been told to stop. */
  ready = false;
  alive = true;
  readonly ended: Promise<Ending>;

  constructor(script: string) {
    this.#child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new TypeError('No pipes');
    // Writing to one that has just died is no error of ours: `ended` tells.
    stdin.on('error', () => undefined);
    createInterface({ input: stdout }).on('line', (line) => this.#hear(JSON.parse(line) as Said));
    stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.alive = false;
        this.ready = false;
        for (const { reject } of this.#pending.values()) reject(new ProcessDied(this.name));
        this.#pending.clear();
        if (this.#stderr !== '') this.#say(`${this.name} on stderr: ${this.#stderr}`);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Who hears from now on what the process logs or writes on stderr, and what nobody has heard yet. */
  tell(onSaid: (said: string) => void): void {
    this.#onSaid = onSaid;
    for (const said of this.#unheard.splice(0)) onSaid(said);
  }

  ask(command: Command): Promise<unknown> {
    if (!this.alive) return Promise.reject(new ProcessDied(this.name));
    this.#lastId += 1;
    const asked: Asked = { ...command, id: this.#lastId };
    return new Promise((resolve, reject) => {
      this.#pending.set(asked.id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify(asked)}\n`);
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(said: Said): void {
    if ('log' in said) {
      this.#say(`${this.name} ${said.log}: ${said.message} ${said.fields}`);
      return;
    }
    const pending = this.#pending.get(said.id);
    this.#pending.delete(said.id);
    if (said.ok) pending?.resolve(said.value);
    else pending?.reject(new Refused(said.code, said.message));
  }

  #say(said: string): void {
    if (this.#onSaid === undefined) this.#unheard.push(said);
    else this.#onSaid(said);
  }
}

/** Processes that have loaded their modules already, so that a dead one is replaced at once. */
export class Spares {
  readonly #compiled: Compiled;
  #spares: Crewman[] = [];
  #script: string;

  constructor(store: GroundName = 'sqlite') {
    this.#compiled = compile('crash-process', { store });
    this.#script = this.#compiled.script;
  }

  /** Sees to it that so many wait. */
  provide(count: number): void {
    while (this.#spares.length < count) {
      this.#spares.push(new Crewman(this.#script));
    }
  }

  take(onSaid: (said: string) => void): Crewman {
    const spare = this.#spares.shift() ?? new Crewman(this.#script);
    spare.tell(onSaid);
    return spare;
  }

  /** From now on they are of this release or of the next, which has a migration more. */
  async change(release: 'this' | 'next'): Promise<void> {
    const script = release === 'next' ? this.#compiled.nextScript : this.#compiled.script;
    if (script === this.#script) return;
    this.#script = script;
    const former = this.#spares;
    this.#spares = [];
    for (const spare of former) spare.kill();
    await Promise.all(former.map((spare) => spare.ended));
  }

  async dismiss(): Promise<void> {
    const spares = this.#spares.splice(0);
    for (const spare of spares) spare.kill();
    await Promise.all(spares.map((spare) => spare.ended));
    this.#compiled.remove();
  }
}
