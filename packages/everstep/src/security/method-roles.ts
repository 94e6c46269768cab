/**
 * Which role a call needs (read, write, worker, admin), of which namespace. A call that is not in the table is
 * denied, whether it is built or not.
 */
export const roles = ['read', 'write', 'worker', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What a caller must have: `anyone` is whoever has a valid key, `everywhere` a role in all namespaces. */
export type Need =
  { readonly role: Role; readonly where: 'namespace' | 'everywhere' } | { readonly role: 'anyone' };

const inNamespace = (role: Role, names: string): [string, Need][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { role, where: 'namespace' }]);
const everywhere = (role: Role, names: string): [string, Need][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, { role, where: 'everywhere' }]);

/** By the name of the service interface. */
const needs: ReadonlyMap<string, Need> = new Map<string, Need>([
  ['getSystemInfo', { role: 'anyone' }],
  ['getClusterInfo', { role: 'anyone' }],
  ['listClusters', { role: 'anyone' }],
  ...inNamespace(
    'read',
    `describeNamespace describeWorkflowExecution getWorkflowExecutionHistory
     getWorkflowExecutionHistoryReverse listWorkflowExecutions countWorkflowExecutions describeTaskQueue
     listOpenWorkflowExecutions listClosedWorkflowExecutions scanWorkflowExecutions listTaskQueuePartitions
     queryWorkflow pollWorkflowExecutionUpdate describeSchedule listSchedules countSchedules
     listScheduleMatchingTimes listSearchAttributes describeBatchOperation listBatchOperations
     listWorkers countWorkers describeWorker`,
  ),
  ...inNamespace(
    'write',
    `startWorkflowExecution signalWorkflowExecution signalWithStartWorkflowExecution updateWorkflowExecution
     executeMultiOperation requestCancelWorkflowExecution terminateWorkflowExecution deleteWorkflowExecution
     resetWorkflowExecution pauseWorkflowExecution unpauseWorkflowExecution pauseActivity unpauseActivity
     resetActivity updateActivityOptions updateWorkflowExecutionOptions createSchedule updateSchedule patchSchedule deleteSchedule
     startBatchOperation stopBatchOperation`,
  ),
  ...inNamespace(
    'worker',
    `pollWorkflowTaskQueue respondWorkflowTaskCompleted respondWorkflowTaskFailed respondQueryTaskCompleted
     resetStickyTaskQueue shutdownWorker recordWorkerHeartbeat pollActivityTaskQueue recordActivityTaskHeartbeat
     recordActivityTaskHeartbeatById respondActivityTaskCompleted respondActivityTaskCompletedById
     respondActivityTaskFailed respondActivityTaskFailedById respondActivityTaskCanceled
     respondActivityTaskCanceledById`,
  ),
  ...inNamespace(
    'admin',
    'updateNamespace addSearchAttributes removeSearchAttributes deleteNamespace',
  ),
  ...everywhere('read', 'listNamespaces getSearchAttributes'),
  ...everywhere('admin', 'registerNamespace'),
]);

export function needOf(method: string): Need | undefined {
  return needs.get(method);
}

/** Those a role holds besides itself. */
const holds: Readonly<Record<Role, readonly Role[]>> = {
  read: ['read'],
  write: ['read', 'write'],
  // A worker describes its namespace and reads the histories it replays.
  worker: ['read', 'worker'],
  admin: ['read', 'write', 'worker', 'admin'],
};

export function covers(held: readonly Role[], wanted: Role): boolean {
  return held.some((role) => holds[role].includes(wanted));
}
