#!/usr/bin/env node
import { nodeFault } from '../lambda/node-version.ts';

const fault = nodeFault(process.versions.node);
if (fault === undefined) {
  // Only now: an older Node stumbles over what this imports.
  const { main, describeError } = await import('../cli/main.ts');
  // What is written shows how well a tenant is secured: it is for its owner alone (0700, 0600).
  process.umask(0o077);
  const fail = (error: unknown) => {
    console.error(describeError(error));
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever reads may have enough (`| head`): what the command does, it does to its end all the same.
    stream.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : fail(error)));
  }
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(fault);
  process.exitCode = 1;
}
