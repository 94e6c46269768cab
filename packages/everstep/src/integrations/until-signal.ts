/** Waits for the signal that ends a process. */

const signals = ['SIGINT', 'SIGTERM'] as const;

export interface Told {
  readonly signal: Promise<NodeJS.Signals>;
  forget(): void;
}

/** After the first one nobody listens: a second ends the process at once, as it would without us. */
export function untilSignal(): Told {
  let told: (signal: NodeJS.Signals) => void = () => undefined;
  const signal = new Promise<NodeJS.Signals>((resolve) => (told = resolve));
  const listen = (received: NodeJS.Signals): void => {
    forget();
    told(received);
  };
  const forget = (): void => {
    for (const name of signals) process.off(name, listen);
  };
  for (const name of signals) process.on(name, listen);
  return { signal, forget };
}
