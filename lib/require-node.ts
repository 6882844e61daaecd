import { nodeFault } from '../lambda/node-version.ts';

/** Imported before everything else: an older Node is refused with a sentence, not with whatever it does not know. */
const fault = nodeFault(process.versions.node);
if (fault !== undefined) throw new Error(fault);
