import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { writeBundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

/** In the published package the bundle lies ready beside lib/; in the checkout it is made from the sources. */
const PREBUILT = join(ROOT, 'function');

/** The module of the bundle and its export, as Lambda names them. */
export const HANDLER = 'index.handler';

/** What the function runs. CDK names it by the hash of the bundle alone, so that only a change deploys. */
export function functionCode(): Code {
  if (existsSync(PREBUILT)) return Code.fromAsset(PREBUILT);
  return Code.fromAsset(join(ROOT, 'lambda'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Asked for by the type; nothing is ever run in it.
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
