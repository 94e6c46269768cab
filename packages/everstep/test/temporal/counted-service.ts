/** What a worker asks of its service. */
import type { WorkflowService } from '../../src/service/workflow-service.ts';

interface Reply {
  readonly history?: { readonly events?: readonly unknown[] } | null;
  readonly workflowTask?: Reply | null;
  readonly taskToken?: Uint8Array | null;
}

type Call = (...args: readonly unknown[]) => Promise<Reply>;

/** The service, with each call that brought something counted, and the events that came under `events`. */
export function counted(service: WorkflowService, calls: Map<string, number>): WorkflowService {
  const add = (what: string, count: number): void => {
    if (count > 0) calls.set(what, (calls.get(what) ?? 0) + count);
  };
  const entries = Object.entries(service as unknown as Record<string, Call>).map(
    ([name, call]): [string, Call] => [
      name,
      async (...args) => {
        const reply = await call(...args);
        const isEmptyPoll = name.startsWith('poll') && !reply.taskToken?.length;
        add(name, isEmptyPoll ? 0 : 1);
        for (const task of [reply, reply.workflowTask]) {
          add('events', task?.history?.events?.length ?? 0);
        }
        return reply;
      },
    ],
  );
  return Object.fromEntries(entries) as unknown as WorkflowService;
}
