/**
 * The child's half of the supervision: it says when it is ready, and stops in good order when the parent
 * closes the channel, which also happens when the parent dies. So no process is left behind.
 */
import { fileURLToPath } from 'node:url';

// Ctrl-C in a terminal reaches every process of the demo; the parent decides what it means.
process.on('SIGINT', () => {});

/** Whether the file with this `import.meta.url` is the one that Node was started with. */
export function isMain(moduleUrl: string): boolean {
  return process.argv[1] === fileURLToPath(moduleUrl);
}

/** `url` is where the process answers, if it does. `stop` is called once, before the process ends. */
export function announce(url: string, stop: () => Promise<void>): void {
  process.once('disconnect', () => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.send?.({ ready: url });
}
