import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { writeBundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

/** The published package has the bundle beside lib/; in the checkout it is built from the sources. */
const PREBUILT = join(ROOT, 'function');

/** The module of the bundle and its export, as Lambda names them. */
export const HANDLER = 'index.handler';

/** The code of the function. Its asset hash is that of the bundle, so that only a change deploys. */
export function functionCode(): Code {
  if (existsSync(PREBUILT)) return Code.fromAsset(PREBUILT);
  return Code.fromAsset(join(ROOT, 'lambda'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // The type requires an image, but nothing ever runs in it.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(folder) {
          writeBundle(folder);
          return true;
        },
      },
    },
  });
}
