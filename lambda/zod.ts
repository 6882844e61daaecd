/*
 * Zod as this project uses it: `zod/mini`, whose schemas have few methods of their own, with the English messages of `zod`.
 * A cold start builds every schema of a run, which takes a third of the time that those of `zod` take, and the bundle
 * holds only the functions that are used (docs/measured.md). The value `z.core` would bring all languages with it.
 */
import { config } from 'zod/mini';
import en from 'zod/v4/locales/en.js';

export * from 'zod/mini';
export { _default as withDefault, catch as withFallback } from 'zod/mini';
export { $ZodError as ZodError } from 'zod/v4/core';

config(en());
