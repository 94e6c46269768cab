/**
 * Counts the words of many files: one child workflow a file, a few at a time, and their results together. A file that
 * cannot be read is one failed child; the others go on.
 */
import { readFile } from 'node:fs/promises';
import { ApplicationFailure, ChildWorkflowFailure, workflow } from 'everstep';

export interface Survey {
  readonly words: number;
  readonly files: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
}

/** One file. It could have many steps, its own timeouts, and be looked at on its own. */
export const countFile = workflow({ name: 'count-file' }, async (ctx, file: string) => {
  const text = await ctx.step('read', () => read(file));
  return ctx.step('count', () => text.split(/\s+/).filter((word) => word !== '').length);
});

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    // Trying again will not make it appear.
    throw ApplicationFailure.nonRetryable(`cannot read ${file}`, 'FileUnreadable', cause);
  }
}

export const survey = workflow(
  { name: 'survey' },
  async (ctx, { files, atOnce }: { files: readonly string[]; atOnce: number }) => {
    const counted: Record<string, number> = {};
    const failed: string[] = [];
    ctx.setQueryHandler('done', () => Object.keys(counted).length + failed.length);

    const queue = [...files];
    const lane = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        try {
          counted[file] = await ctx.executeChildWorkflow(countFile, file);
        } catch (error) {
          if (!(error instanceof ChildWorkflowFailure) || ctx.cancelled.aborted) throw error;
          failed.push(file);
        }
      }
    };
    await ctx.all(Array.from({ length: atOnce }, lane));

    const words = Object.values(counted).reduce((sum, count) => sum + count, 0);
    return { words, files: counted, failed } satisfies Survey;
  },
);
