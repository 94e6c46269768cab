export const TASK_QUEUE = 'pizza-task-queue';
