/** As many as are under way at once: what a busy web process has open. */
export const lanes = 200;

/** Runs `one` for 0 … n-1, so many at once, and ends with the first error. */
export async function inLanes(
  n: number,
  one: (number: number) => Promise<void>,
  atOnce = lanes,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < n) {
      const number = next;
      next += 1;
      await one(number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, n) }, lane));
}
