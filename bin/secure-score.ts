#!/usr/bin/env node
import module from 'node:module';
import { nodeFault } from '../lambda/node-version.ts';

const fault = nodeFault(process.versions.node);
if (fault === undefined) {
  // Files show how well a tenant is secured, so only their owner may read them (0700, 0600).
  process.umask(0o077);
  // The import comes only now, because an older Node fails on what it imports in turn.
  const { compiledFolder } = await import('../cli/shared/cache-folder.ts');
  const compiled = compiledFolder();
  // The command does without a cache if the folder cannot be written.
  if (compiled !== undefined) module.enableCompileCache(compiled);
  const { main, describeError } = await import('../cli/main.ts');
  const fail = (error: unknown) => {
    console.error(describeError(error));
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  for (const stream of [process.stdout, process.stderr]) {
    // The reader may stop early (`| head`); the command still finishes its work.
    stream.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : fail(error)));
  }
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(fault);
  process.exitCode = 1;
}
