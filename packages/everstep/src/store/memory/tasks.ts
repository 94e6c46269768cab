import type { MemoryData, MemoryTask } from './memory-data.ts';
import type { Store, TaskKind } from '../store.ts';

const kinds: readonly TaskKind[] = ['workflow', 'activity'];

export function memoryTasks(data: MemoryData): Store['tasks'] {
  return {
    claim: async ({ namespaceId, kind, taskQueue, processId, limit, types }) => {
      const queue = data.queues.get(`${kind}\0${namespaceId}\0${taskQueue}`);
      if (queue === undefined || !data.processes.has(processId)) return [];
      if (types) {
        const claimed: MemoryTask[] = [];
        const others: MemoryTask[] = [];
        while (claimed.length < limit) {
          const [oldest] = queue.free.take(Infinity, 1);
          if (oldest === undefined) break;
          const task = data.tasks.get(oldest.id) as MemoryTask;
          (types.includes(task.row.type) ? claimed : others).push(task);
        }
        for (const { row } of others) queue.free.add(row.createdAt, row.taskId);
        for (const task of claimed) task.claimedBy = processId;
        return claimed.map((task) => task.row);
      }
      return queue.free.take(Infinity, limit).map(({ id }) => {
        const task = data.tasks.get(id) as MemoryTask;
        task.claimedBy = processId;
        return task.row;
      });
    },
    release: async ({ taskIds }) => {
      for (const taskId of taskIds) data.releaseTask(taskId);
    },
    releaseAll: async ({ processId }) => {
      for (const [taskId, task] of data.tasks) {
        if (task.claimedBy === processId) data.releaseTask(taskId);
      }
    },
    delete: async ({ taskIds }) => {
      for (const taskId of taskIds) data.deleteTask(taskId);
    },
    unstick: async ({ namespaceId, taskQueue }) => {
      let moved = 0;
      for (const kind of kinds) {
        const taskIds = data.queues.get(`${kind}\0${namespaceId}\0${taskQueue}`)?.taskIds ?? [];
        for (const taskId of taskIds) {
          const { row } = data.tasks.get(taskId) as MemoryTask;
          if (row.normalTaskQueue === '') continue;
          data.deleteTask(taskId);
          data.addTask({ ...row, taskQueue: row.normalTaskQueue, normalTaskQueue: '' });
          moved += 1;
        }
      }
      return moved;
    },
    backlog: async ({ namespaceId, kind, taskQueue }) => {
      const taskIds = data.queues.get(`${kind}\0${namespaceId}\0${taskQueue}`)?.taskIds ?? [];
      let count = 0;
      let oldestCreatedAt = 0;
      for (const taskId of taskIds) {
        const { createdAt } = (data.tasks.get(taskId) as MemoryTask).row;
        if (count === 0 || createdAt < oldestCreatedAt) oldestCreatedAt = createdAt;
        count += 1;
      }
      return { count, oldestCreatedAt };
    },
    queues: async () =>
      [...data.queues.values()]
        .filter(({ taskIds }) => taskIds.size > 0)
        .map(({ namespaceId, kind, taskQueue, taskIds }) => ({
          namespaceId,
          kind,
          taskQueue,
          count: taskIds.size,
        })),
  };
}
