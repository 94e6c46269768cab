import { longOf } from '../../core/time.ts';
import type { Verb } from '../verb.ts';
import { workersOf } from './list-workers.ts';

export const countWorkers: Verb<'countWorkers'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  return { count: longOf(workersOf(context, namespaceId, request.query).length) };
};
