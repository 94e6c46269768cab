/**
 * What the code of a random program must have seen, told from nothing but the history of its run. The program stands
 * there as the input; each event answers what waits for it, and that goes on until it waits again. No part of the
 * task runtime is used, so an error of it is none of this.
 */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { EventType } from '../../src/core/proto.ts';
import { numberOf } from '../../src/core/time.ts';
import type { Seen, TaskNode, TaskParams } from './task-programs.ts';

export interface Retold {
  readonly seen: readonly Seen[];
  /**
   * Of promises that can go on at the same moment the history does not say which one does first: so it is where signals
   * that were there already are taken by branches of a workflow with a context.
   */
  readonly certain: boolean;
}

export function retell(events: readonly HistoryEvent[], inContext: boolean): Retold {
  const retold = new RetoldProgram(inContext);
  const input = events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  const { program } = JSON.parse(Buffer.from(input ?? []).toString()) as TaskParams;
  const keyOf = (event: HistoryEvent) => event.activityTaskScheduledEventAttributes?.activityId;
  if (events.some((event) => keyOf(event) === kindKey)) retold.beginAfter(kindKey, program);
  else retold.begin(program);
  for (const event of events) retold.event(event);
  return retold;
}

/** How a step or sleep ended. `keys` learns from its events which is whose. */
export function closeOf(
  event: HistoryEvent,
  keys: Map<number, string>,
): { readonly key: string; readonly value: string } | undefined {
  const asked =
    event.activityTaskScheduledEventAttributes?.activityId ??
    event.timerStartedEventAttributes?.timerId;
  if (asked) keys.set(numberOf(event.eventId), asked);
  const done = event.activityTaskCompletedEventAttributes;
  const failed =
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  const fired = event.timerFiredEventAttributes;
  const of = done?.scheduledEventId ?? failed?.scheduledEventId ?? fired?.startedEventId;
  const key = keys.get(numberOf(of));
  if (key === undefined) return undefined;
  const data = done?.result?.payloads?.[0]?.data;
  return { key, value: fired ? 'slept' : failed ? 'failed' : textOf(data, '') };
}

function textOf(data: Uint8Array | null | undefined, absent: string): string {
  return data && data.length > 0 ? String(JSON.parse(Buffer.from(data).toString())) : absent;
}

/** What is cancelled together: the run, or a branch of a race. */
class Scope {
  readonly #outer: Scope | undefined;
  #cancelled = false;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get cancelled(): boolean {
    return this.#cancelled || this.#outer?.cancelled === true;
  }

  cancel(): void {
    this.#cancelled = true;
  }
}

/** Where a node stands. */
interface Place {
  readonly scope: Scope;
  /** Others may go on at the same time. */
  readonly beside: boolean;
}

/** What comes after a node. */
interface Next {
  readonly ended: () => void;
  readonly cancelled: () => void;
}

interface Wait extends Place {
  readonly shielded: boolean;
  readonly answer: (value: string) => void;
  readonly cancelled: () => void;
}

/** The step that finds out that a task has many steps; the program begins with its answer. */
const kindKey = '#kind';

class RetoldProgram implements Retold {
  readonly seen: Seen[] = [];
  certain = true;
  readonly #inContext: boolean;
  readonly #root: Place = { scope: new Scope(), beside: false };
  readonly #keys = new Map<number, string>();
  readonly #waits = new Map<string, Wait>();
  readonly #signalWaits = new Map<string, Wait[]>();
  readonly #signals = new Map<string, string[]>();
  #ended = false;

  constructor(inContext: boolean) {
    this.#inContext = inContext;
  }

  begin(program: TaskNode): void {
    this.#perform(program, this.#root, {
      ended: () => {
        this.#ended = true;
      },
      cancelled: () => {
        this.#ended = true;
      },
    });
  }

  beginAfter(key: string, program: TaskNode): void {
    const begin = (): void => {
      this.begin(program);
    };
    const next = { ended: begin, cancelled: () => undefined };
    this.#wait(key, false, this.#root, next, begin);
  }

  event(event: HistoryEvent): void {
    const close = closeOf(event, this.#keys);
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (this.#ended) return;
    if (close) this.#close(close.key, close.value);
    if (signaled) {
      const data = signaled.input?.payloads?.[0]?.data;
      this.#signaled(signaled.signalName ?? '', textOf(data, 'undefined'));
    }
    if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) {
      this.#cancel(this.#root.scope);
    }
  }

  #close(key: string, value: string): void {
    const wait = this.#waits.get(key);
    this.#waits.delete(key);
    wait?.answer(value);
  }

  #signaled(name: string, value: string): void {
    const wait = this.#signalWaits.get(name)?.shift();
    if (wait) wait.answer(value);
    else listOf(this.#signals, name).push(value);
  }

  /** What waits in it hears of that, unless it is shielded. */
  #cancel(scope: Scope): void {
    scope.cancel();
    const reached = (wait: Wait): boolean => !wait.shielded && wait.scope.cancelled;
    for (const [key, wait] of this.#waits) {
      if (reached(wait) && this.#waits.delete(key)) wait.cancelled();
    }
    for (const waits of this.#signalWaits.values()) {
      for (const wait of waits.filter(reached)) {
        const at = waits.indexOf(wait);
        if (at < 0) continue;
        waits.splice(at, 1);
        wait.cancelled();
      }
    }
  }

  #perform(node: TaskNode, place: Place, next: Next): void {
    switch (node.op) {
      case 'step':
        this.#wait(node.key, node.shielded, place, next, this.#note(node.key, next));
        break;
      case 'sleep':
        this.#wait(node.key, false, place, next, this.#note(node.key, next));
        break;
      case 'job':
        this.#job(node.key, place, next);
        break;
      case 'signal':
        this.#signal(node.name, place, next);
        break;
      case 'seq':
        this.#sequence(node.nodes, place, next);
        break;
      case 'all':
        this.#all(node.nodes, place, next);
        break;
      case 'race':
        this.#race(node.nodes, place, next);
        break;
    }
  }

  #note(what: string, next: Next): (value: string) => void {
    return (value) => {
      this.seen.push([what, value]);
      next.ended();
    };
  }

  #wait(
    key: string,
    shielded: boolean,
    place: Place,
    { cancelled }: Next,
    answer: (value: string) => void,
  ): void {
    if (place.scope.cancelled && !shielded) cancelled();
    else this.#waits.set(key, { ...place, shielded, answer, cancelled });
  }

  /** A workflow with a context has one step of its own for it. */
  #job(key: string, place: Place, next: Next): void {
    if (this.#inContext) {
      this.#wait(key, false, place, next, this.#note(key, next));
      return;
    }
    const note = this.#note(`${key}#poll`, next);
    this.#wait(`${key}#submit`, false, place, next, (value) => {
      if (value === 'failed') note(value);
      else this.#wait(`${key}#poll`, false, place, next, note);
    });
  }

  #signal(name: string, place: Place, next: Next): void {
    if (place.scope.cancelled) {
      next.cancelled();
      return;
    }
    const answer = this.#note(`signal ${name}`, next);
    const value = listOf(this.#signals, name).shift();
    if (value === undefined) {
      const { cancelled } = next;
      listOf(this.#signalWaits, name).push({ ...place, shielded: false, answer, cancelled });
      return;
    }
    if (this.#inContext && place.beside) this.certain = false;
    answer(value);
  }

  #sequence([first, ...rest]: readonly TaskNode[], place: Place, next: Next): void {
    if (!first) {
      next.ended();
      return;
    }
    this.#perform(first, place, {
      ended: () => {
        this.#sequence(rest, place, next);
      },
      cancelled: next.cancelled,
    });
  }

  #all(nodes: readonly TaskNode[], { scope }: Place, next: Next): void {
    let left = nodes.length;
    for (const node of nodes) {
      this.#perform(
        node,
        { scope, beside: true },
        {
          ended: () => {
            left -= 1;
            if (left === 0) next.ended();
          },
          cancelled: () => {
            // Once only, and never its end.
            if (left > 0) next.cancelled();
            left = 0;
          },
        },
      );
    }
  }

  /** The first end decides; the other branches are cancelled, and those that have not begun do not begin. */
  #race(nodes: readonly TaskNode[], { scope }: Place, next: Next): void {
    let decided = false;
    const begun: Scope[] = [];
    const decide = (then: () => void): void => {
      if (decided) return;
      decided = true;
      for (const branch of begun) this.#cancel(branch);
      then();
    };
    for (const [index, node] of nodes.entries()) {
      if (decided) break;
      const branch = new Scope(scope);
      begun.push(branch);
      this.#perform(
        node,
        { scope: branch, beside: true },
        {
          ended: () => {
            decide(() => {
              this.#note('race', next)(String(index));
            });
          },
          cancelled: () => {
            decide(next.cancelled);
          },
        },
      );
    }
  }
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}
