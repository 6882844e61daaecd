import { nodeFault } from '../lambda/node-version.ts';

/** Imported before everything else, so that an older Node is refused with a clear error. */
const fault = nodeFault(process.versions.node);
if (fault !== undefined) throw new Error(fault);
