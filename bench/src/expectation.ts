/** A figure over work that was not done, or done wrong, is worse than none. @throws Error naming what it is. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual === expected) return;
  throw new Error(
    `wrong: ${what} is ${JSON.stringify(actual)}; expected ${JSON.stringify(expected)}`,
  );
}
