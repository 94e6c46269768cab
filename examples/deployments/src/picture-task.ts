/** The work: a picture in three steps. */
import { AsyncTask, step } from 'everstep';

export interface Picture {
  readonly name: string;
}

/** One run of a step. */
export interface StepRun {
  readonly taskId: string;
  readonly key: string;
  readonly worker: string;
}

/** `note` hears of each run of a step, at its end; `worker` says where. */
export function pictureTask(
  worker: string,
  note: (run: StepRun) => void,
): AsyncTask<Picture, string> {
  return new AsyncTask({
    name: 'picture',
    task: async function* ({ name }: Picture) {
      for (const key of ['fetch', 'shrink', 'store']) {
        yield* step(key, async ({ taskId }) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          note({ taskId, key, worker });
        });
      }
      return `${name} by ${worker}`;
    },
  });
}
