/**
 * The codes of the errors that the public API gives its callers; a store's own are in store/store.ts, and those of
 * running tasks in tasks/task-errors.ts. Each has a paragraph in docs/reference/errors.md, and a test holds the
 * lists equal. A code is never reused for another thing.
 */
export const errorCodes = [
  'TASK_OPTIONS_INVALID',
  'WORKFLOW_OPTIONS_INVALID',
  'WORKFLOW_INPUT_INVALID',
  'ACTIVITY_OPTIONS_INVALID',
  'TASK_NOT_CONNECTED',
  'TASK_ID_INVALID',
  'TASK_ID_CONFLICT',
  'TASK_NOT_FOUND',
  'TASK_PARAMS_INVALID',
  'TASK_PARAMS_NOT_SERIALIZABLE',
  'TASK_PARAMS_TOO_LARGE',
  'SUBMIT_OPTIONS_INVALID',
  'SUBMIT_FAILED',
  'TRANSACTION_INVALID',
  'TRANSACTION_UNSUPPORTED',
  'RESULT_TIMEOUT',
  'TASK_FAILED',
  'TASK_CANCELLED',
  'TASK_ALREADY_ENDED',
  'TASK_NOT_RETRYABLE',
  'LIST_QUERY_INVALID',
  'RETRY_AFTER_INVALID',
  'WEBHOOK_REFUSED',
  'COMPONENT_OPTIONS_INVALID',
  'COMPONENT_STATE',
  'COMPONENT_FAILED',
  'DUPLICATE_NAME',
  'REGISTRATION_INVALID',
  'PULLER_OPTIONS_INVALID',
  'PULL_TIMEOUT',
  'STORE_NOT_FOUND',
  'NAMESPACE_NOT_FOUND',
  'SERVER_UNREACHABLE',
  'SERVER_REFUSED',
  'GATEWAY_ADDRESS',
  'GATEWAY_TLS',
  'METRICS_ADDRESS',
  'API_KEYS_INVALID',
  'TEST_OPTIONS_INVALID',
  'TEST_NOT_REGISTERED',
  'REPLAY_INCOMPATIBLE',
  'REPLAY_HISTORY_INVALID',
  'DISCOVERY_OPTIONS_INVALID',
  'INTEGRATION_DIRECTORY',
  'INTEGRATION_INVALID',
  'DOMAIN_NOT_FOUND',
  'DOMAIN_INVALID',
  'MODULE_LOAD_FAILED',
  'WORKER_NOT_INSTALLED',
  'WORKFLOWS_NOT_BUNDLED',
  'WORKER_PROCESS_ENDED',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error of the public API: what happened, to which task, and what to do. Branch on `code`
 * (docs/reference/errors.md), not on the message.
 */
export class EverstepError extends Error {
  override readonly name: string = 'EverstepError';
  readonly code: ErrorCode;
  /** The task it is about, where there is one. On a failed submit: the id to repeat it with. */
  readonly taskId: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly taskId?: string },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.taskId = options?.taskId;
  }
}
