/** What one process took. Its CPU time is user and system, of all its threads. */
export interface Measurement {
  /** ms; of the work alone, without the start of Node and of the program. */
  cpu: number;
  wall: number;
  /** ms of CPU, from the start of the process. */
  processCpu: number;
  /** MB (2^20 bytes); the most that was resident at any time. */
  memory: number;
}

/** Runs the work and prints what it took, as the only line of the standard output. */
export async function measured(work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  const before = cpuTime();
  try {
    await work();
  } catch (error) {
    // The line of the source that Node would print is left out, because in a bundle it may be most of the program.
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  }
  const processCpu = cpuTime();
  const measurement: Measurement = {
    cpu: processCpu - before,
    wall: performance.now() - started,
    processCpu,
    memory: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(measurement));
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
