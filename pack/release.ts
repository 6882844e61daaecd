import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledPackages, bundleFunction, type BundledPackage } from '../lib/bundle.ts';

/**
 * Writes a release into release/: the packed package, the function as it is deployed, its bill of materials
 * (CycloneDX) and the licences of what is in it, and the checksums of all of them. Equal sources give equal bytes, in
 * any folder and on any day: compare SHA256SUMS.
 */
const root = join(import.meta.dirname, '..');
const folder = join(root, 'release');

interface Component {
  name: string;
  version: string;
}
/** What `npm sbom` prints, as far as it is used here: https://docs.npmjs.com/cli/commands/npm-sbom */
interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

// npm runs this script and passes the path of its own file, so that no shell has to find npm.cmd.
const npm = (...args: string[]): string =>
  execFileSync(process.execPath, [process.env['npm_execpath']!, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'function'), { recursive: true });
for (const { name, contents } of bundleFunction()) writeFileSync(join(folder, 'function', name), contents);

const packages = bundledPackages();
writeFileSync(
  join(folder, 'function.cdx.json'),
  `${JSON.stringify(billOfMaterials(JSON.parse(npm('sbom', '--sbom-format', 'cyclonedx')) as Bom), null, 2)}\n`,
);
writeFileSync(join(folder, 'LICENSES.txt'), packages.map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`));
npm('pack', '--pack-destination', folder);

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(folder.length + 1)
      .replaceAll('\\', '/'),
  )
  .toSorted();
const sums = files.map(
  (file) =>
    `${createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex')}  ${file}`,
);
writeFileSync(join(folder, 'SHA256SUMS'), `${sums.join('\n')}\n`);
console.log(`release/\n${sums.map((line) => `  ${line}`).join('\n')}`);

/** Restricted to what the function's bundle holds, and without what differs from one moment or folder to the next. */
function billOfMaterials(bom: Bom): object {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Component;
  const expected = new Set(packages.map((each) => `${each.name}@${each.version}`));
  const components = bom.components.filter((each) => expected.delete(`${each.name}@${each.version}`));
  if (expected.size > 0) throw new Error(`npm sbom does not know ${[...expected].join(', ')}.`);
  const refs = new Set([`${name}@${version}`, ...components.map((each) => `${each.name}@${each.version}`)]);
  return {
    ...bom,
    serialNumber: undefined,
    metadata: {
      ...bom.metadata,
      timestamp: undefined,
      // npm gives it the name of the folder.
      component: { ...bom.metadata.component, name },
    },
    components,
    dependencies: bom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => refs.has(each)) })),
  };
}

/** @throws Error for a package that states no licence, which somebody then has to check */
function licenceOf({ name, version, folder: of }: BundledPackage): string {
  const { license } = JSON.parse(readFileSync(join(of, 'package.json'), 'utf8')) as { license?: string };
  if (!license) throw new Error(`${name} in ${of} states no licence: check it by hand.`);
  const file = readdirSync(of).find((each) => /^licen[cs]e/i.test(each));
  const text = file
    ? readFileSync(join(of, file), 'utf8').trim()
    : `The package brings no text: see https://spdx.org/licenses/${license}.html`;
  return `${name} ${version} (${license})\n\n${text}\n`;
}
