import type { BuildOptions } from 'esbuild';

/** How the function is bundled: by the deployment, and by the benchmark that measures it. */
export const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  // What is imported on demand becomes a file of its own.
  splitting: true,
  // ES modules are preferred where a package has them, because they bundle smaller than CommonJS.
  mainFields: ['module', 'main'],
  // msal-node brings jsonwebtoken, which is CommonJS and requires Node's own modules ("Dynamic require of …").
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
} as const satisfies BuildOptions;
