import type { BuildOptions } from 'esbuild';

/** How the function is bundled: by the deployment, and by the benchmark that measures it. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  // The ES modules of every package that has them: smaller than their CommonJS twins.
  mainFields: ['module', 'main'],
  // msal-node brings jsonwebtoken, which is CommonJS and requires Node's own modules ("Dynamic require of …").
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
} as const satisfies BuildOptions;
