/** What is done once for all who ask. When it fails it is forgotten, and whoever asks next begins it anew. */
export class Once<T> {
  readonly #begin: () => Promise<T>;
  #made: Promise<T> | undefined;

  constructor(begin: () => Promise<T>) {
    this.#begin = begin;
  }

  /** Begins it the first time. @throws what it fails with. */
  get(): Promise<T> {
    this.#made ??= this.#begin().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  /** Waits for what has begun, and begins nothing; undefined where it was not begun, or fails. */
  async begun(): Promise<T | undefined> {
    return this.#made?.catch(() => undefined);
  }
}
