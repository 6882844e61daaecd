/**
 * Does the work of a process that has just begun, and may well end with it, without V8's optimising compiler. It works on
 * threads of its own at code that a single run calls a few thousand times, and is done when the run is: a fifth of the
 * CPU of a cold run. What comes afterwards is optimised as usual.
 */
export async function unoptimised<T>(work: () => Promise<T>): Promise<T> {
  // Of all runs, only the first of a process needs the module.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-turbofan');
  try {
    return await work();
  } finally {
    setFlagsFromString('--turbofan');
  }
}
