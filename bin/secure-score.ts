#!/usr/bin/env node
import { nodeFault } from '../lambda/node-version.ts';

const fault = nodeFault(process.versions.node);
if (fault === undefined) {
  // Only now: an older Node stumbles over what this imports.
  const { main } = await import('../cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(fault);
  process.exitCode = 1;
}
