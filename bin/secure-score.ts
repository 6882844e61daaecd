#!/usr/bin/env node
import module from 'node:module';
import { nodeFault } from '../lambda/node-version.ts';

const fault = nodeFault(process.versions.node);
if (fault === undefined) {
  // What is written shows how well a tenant is secured: it is for its owner alone (0700, 0600).
  process.umask(0o077);
  // Only now: an older Node stumbles over what this imports.
  const { compiledFolder } = await import('../cli/shared/cache-folder.ts');
  const compiled = compiledFolder();
  // It does without where the folder cannot be written.
  if (compiled !== undefined) module.enableCompileCache(compiled);
  const { main, describeError } = await import('../cli/main.ts');
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
