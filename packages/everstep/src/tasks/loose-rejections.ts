/**
 * A helper function of a workflow's code that is started and not awaited yet is rejected, for instance when the
 * workflow is cancelled, before anybody looks; Node then ends the process. A run must not end the process of all
 * others, so rejections that come out of a context are let go here. All others are as if nobody listened.
 */

/** What promises of contexts were rejected with. */
const ours = new WeakSet<object>();
const causesMax = 20;
let listening = false;

/** From now on this reason ends no process, alone or as a cause of another. */
export function letGo(reason: unknown): void {
  if (typeof reason !== 'object' || reason === null) return;
  ours.add(reason);
  if (listening) return;
  listening = true;
  process.on('unhandledRejection', onUnhandled);
}

function onUnhandled(reason: unknown): void {
  if (isOurs(reason) || process.listenerCount('unhandledRejection') > 1 || !endsProcess()) return;
  // Thrown here it becomes an uncaught exception, which is what Node makes of it by default.
  throw reason;
}

function isOurs(reason: unknown): boolean {
  let at = reason;
  for (let depth = 0; at instanceof Error && depth < causesMax; depth += 1) {
    if (ours.has(at)) return true;
    at = at.cause;
  }
  return false;
}

/** Unless Node was told otherwise. */
function endsProcess(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return !/--unhandled-rejections[= ](?:warn|none)/.test(options);
}
