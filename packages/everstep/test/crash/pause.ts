/** Waits for something, but not for ever: 'late' when it has not settled in time. */
export async function passed(event: Promise<unknown>, ms: number): Promise<'in time' | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([event.then(() => 'in time' as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
