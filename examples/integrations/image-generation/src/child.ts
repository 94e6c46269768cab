/** How the processes of this example end: by Ctrl-C, by SIGTERM, or when who started them is gone. */

/** `url` is where the process answers, if it does. `stop` is called once, before the process ends. */
export function announce(url: string, stop: () => Promise<void>): void {
  let stopping = false;
  const end = (): void => {
    if (stopping) return;
    stopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  process.once('disconnect', end);
  if (process.send) process.send(url);
  else console.log(url === '' ? 'ready' : `listening on ${url}`);
}
