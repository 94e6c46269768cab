/** A bug of ours, never a fault of the caller: nothing may swallow it (style: errors, kind 3). */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly ids: Readonly<Record<string, string | number>>;

  constructor(message: string, ids: Readonly<Record<string, string | number>> = {}) {
    super(`${message} ${JSON.stringify(ids)}`);
    this.ids = ids;
  }
}
