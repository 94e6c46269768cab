/** Waits for the signal that ends a process. */

const signals = ['SIGINT', 'SIGTERM'] as const;
/** Ctrl-C reaches all processes of a terminal, and whoever started this one, such as npm, hands it on once more. */
const sameMs = 1_000;

export interface Told {
  readonly signal: Promise<NodeJS.Signals>;
  forget(): void;
}

/** After the first one a second, unless it is the same that comes twice, ends the process at once, as without us. */
export function untilSignal(): Told {
  let told: (signal: NodeJS.Signals) => void = () => undefined;
  const signal = new Promise<NodeJS.Signals>((resolve) => (told = resolve));
  let toldAt: number | undefined;
  const listen = (received: NodeJS.Signals): void => {
    if (toldAt === undefined) {
      toldAt = performance.now();
      told(received);
    } else if (performance.now() - toldAt > sameMs) {
      forget();
      process.kill(process.pid, received);
    }
  };
  const forget = (): void => {
    for (const name of signals) process.off(name, listen);
  };
  for (const name of signals) process.on(name, listen);
  return { signal, forget };
}
