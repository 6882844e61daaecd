/*
 * Zod as this project uses it: `zod/mini`, whose schemas have few methods of their own, with the English messages of `zod`.
 * A cold start builds every schema of a run, which takes a third of the time that those of `zod` take, and the bundle
 * holds only the functions that are used (docs/measured.md). The value `z.core` would bring all languages with it.
 */
import { config, ZodMiniCatch, type output } from 'zod/mini';
import type { $ZodType } from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';

export * from 'zod/mini';
export { _default as withDefault } from 'zod/mini';
export { $ZodError as ZodError } from 'zod/v4/core';

config(en());

/** The schema, with a value in place of whatever it refuses. `catch` of zod/mini brings all of zod's utilities with it. */
export function withFallback<Schema extends $ZodType>(
  schema: Schema,
  value: output<Schema>,
): ZodMiniCatch<Schema> {
  const catching = new ZodMiniCatch({ type: 'catch', innerType: schema, catchValue: () => value });
  return catching as ZodMiniCatch<Schema>;
}
