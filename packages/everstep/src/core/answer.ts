/** The two answers of a handler, said shortly. */
import type { Answer } from './input.ts';
import type { RefusalCode, RefusalDetail } from './refusal.ts';

export type Refused = Extract<Answer<never>, { readonly ok: false }>;

export const accepted: Answer<undefined> = { ok: true, value: undefined };

export function accept<R>(value: R): Answer<R> {
  return { ok: true, value };
}

export function refuse(code: RefusalCode, message: string, detail?: RefusalDetail): Refused {
  return { ok: false, refusal: detail ? { code, message, detail } : { code, message } };
}

export function notFound(message: string): Refused {
  return refuse('NOT_FOUND', message, { kind: 'notFound' });
}

/** SG-2, TR-1: what everybody hears who comes after the close. */
export function alreadyCompleted(): Refused {
  return notFound('workflow execution already completed');
}
