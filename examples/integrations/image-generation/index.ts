/**
 * The integration, in interaqt's form: a factory returns the object of which the application takes side effects, APIs
 * and async tasks. It is the index's default export, so `collectIntegrationWorkflows` finds it too.
 */
import type { AsyncTask, AsyncTaskProvider } from 'everstep';
import { MatchExp, RecordMutationSideEffect, type Controller } from 'interaqt';
import { imageTask, type Image, type ImageParams } from './src/image-task.ts';
import {
  ImageGenerationEvent,
  ImageRequest,
  type ImageEvent,
  type ImageRequestRecord,
} from './src/model.ts';
import { readSettings, type Settings } from './src/settings.ts';

export interface Api {
  readonly name: string;
  /** For the worker process alone. */
  readonly internal: boolean;
  /** @returns undefined when there is no such record. */
  answer(controller: Controller, params: Readonly<Record<string, unknown>>): Promise<unknown>;
}

export interface ImageGeneration extends AsyncTaskProvider {
  /** The first part of its APIs' paths. */
  readonly namespace: string;
  createAsyncTasks(): AsyncTask<ImageParams, Image>[];
  createSideEffects(): RecordMutationSideEffect<unknown>[];
  createAPIs(): Api[];
  /** Submits what is in the database and was not submitted: the process ended, or the tasks could not be reached. */
  recover(controller: Controller): Promise<void>;
}

export default function createImageGeneration(
  settings: Settings = readSettings(),
): ImageGeneration {
  const task = imageTask(settings);

  const submitted = RecordMutationSideEffect.create({
    name: 'submit-image',
    record: { name: ImageRequest.name },
    async content(this: Controller, { type, record }) {
      if (type !== 'create' || record === undefined) return undefined;
      const { id, prompt } = record as unknown as ImageRequestRecord;
      // The record's id: however often this runs, it is one task.
      const taskId = await task.submit({ requestId: id, prompt }, { taskId: taskIdOf(id) });
      await noted(this, { requestId: id, status: 'submitted' });
      return taskId;
    },
  });

  const status: Api = {
    name: 'status',
    internal: false,
    async answer(controller, { id }) {
      const record = await recordOf(controller, textOf('id', id));
      if (record === undefined) return undefined;
      const taskId = taskIdOf(record.id);
      const { result: _, failure: __, ...state } = await task.getStatus(taskId);
      const { prompt, status, imageUrl, error } = record;
      const webUi = settings.webUiUrl?.(taskId);
      return { id, prompt, status, imageUrl, error, task: state, ...(webUi && { webUi }) };
    },
  };

  const report: Api = {
    name: 'report',
    internal: true,
    async answer(controller, { requestId, status, imageUrl, error }) {
      if (status !== 'done' && status !== 'failed') {
        throw new TypeError(`status is ${JSON.stringify(status)}; expected "done" or "failed"`);
      }
      const event: ImageEvent = {
        requestId: textOf('requestId', requestId),
        status,
        ...(status === 'done'
          ? { imageUrl: textOf('imageUrl', imageUrl) }
          : { error: textOf('error', error) }),
      };
      return (await noted(controller, event)) ? { noted: true } : undefined;
    },
  };

  return {
    namespace: 'image-generation',
    createAsyncTasks: () => [task],
    createSideEffects: () => [submitted],
    createAPIs: () => [status, report],
    async recover(controller) {
      const pending = MatchExp.atom({ key: 'status', value: ['=', 'pending'] });
      const records = await controller.system.storage.find(ImageRequest.name, pending, undefined, [
        'id',
      ]);
      for (const { id } of records) {
        const { postCommitPhase } = await controller.rerunCreateMutationSideEffects({
          recordName: ImageRequest.name,
          id,
        });
        for (const { name, error } of postCommitPhase.failures) {
          console.error(`request ${id}: ${name} failed:`, error);
        }
      }
    },
  };
}

function taskIdOf(requestId: string): string {
  return `image-${requestId}`;
}

async function recordOf(
  controller: Controller,
  id: string,
): Promise<ImageRequestRecord | undefined> {
  const own = MatchExp.atom({ key: 'id', value: ['=', id] });
  const found = await controller.system.storage.findOne(ImageRequest.name, own, undefined, ['*']);
  // What has no value yet is left out of what is found.
  return found && ({ imageUrl: null, error: null, ...found } as unknown as ImageRequestRecord);
}

/** Makes an event of it, from which the record's new state is computed. An end is an end: what comes later is left out. */
async function noted(controller: Controller, event: ImageEvent): Promise<boolean> {
  const { storage } = controller.system;
  return storage.runInTransaction({ name: 'note-image-event' }, async () => {
    const record = await recordOf(controller, event.requestId);
    if (record === undefined) return false;
    const isNews =
      record.status === 'pending' ||
      (record.status === 'submitted' && event.status !== 'submitted');
    if (isNews) await storage.create(ImageGenerationEvent.name, event);
    return true;
  });
}

function textOf(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}; expected text`);
}
