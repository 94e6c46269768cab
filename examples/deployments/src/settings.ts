/** How long a worker that is told to stop lets its steps go on. */
export const drainMs = 10_000;
