/** Heap and external memory in use after a collection. Needs --expose-gc. */
export async function bytesInUse(): Promise<number> {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (gc === undefined) throw new Error('the memory of a task is measured with --expose-gc');
  // What one collection lets go of, such as a buffer's owner, the next one frees.
  for (let round = 0; round < 3; round += 1) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
