/** Says hello, with a workflow of the official SDK. */
export * as activities from './activities.ts';

export const TASK_QUEUE = 'hello-task-queue';

/** By the path of their module: the official worker bundles it. */
export const workflows = './workflows.ts';
