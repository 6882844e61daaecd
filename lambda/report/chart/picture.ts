import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import type { Resvg } from '@resvg/resvg-wasm';
import { isOpaque, pngOfPixels } from './png.ts';

/** Device pixels per CSS pixel: crisp on screens of high density. */
const DENSITY = 2;

/**
 * The amount of work in a function of WebAssembly after which V8 compiles it a second time, for speed: fifteen times the
 * default, at which the two pictures of a mail cost 330 ms of CPU and 50 MB. Here they cost 110 ms, and dozens of pictures
 * no more than at the default.
 */
const TIERING_BUDGET = 200_000_000;

/** The mails of one run show the same chart. */
const REMEMBERED = 4;

const pictures = new Map<string, Promise<Uint8Array>>();
let tools: Promise<Tools> | undefined;

interface Tools {
  Resvg: typeof Resvg;
  fonts: Uint8Array[];
}

/**
 * Draws an SVG as PNG, at twice its size, in Inter. The same SVG gives the same bytes.
 * What it needs (2.5 MB of WebAssembly, two fonts) is loaded when the first picture is drawn.
 */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const known = pictures.get(svg);
  if (known) return known;
  const drawn = draw(svg);
  pictures.set(svg, drawn);
  for (const oldest of [...pictures.keys()].slice(0, -REMEMBERED)) pictures.delete(oldest);
  drawn.catch(() => pictures.delete(svg));
  return drawn;
}

async function draw(svg: string): Promise<Uint8Array> {
  tools ??= load().catch((error: unknown) => {
    tools = undefined;
    throw error;
  });
  const { Resvg, fonts } = await tools;
  const resvg = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: DENSITY },
    // Lambda has no fonts.
    font: { fontBuffers: fonts, defaultFontFamily: 'Inter', sansSerifFamily: 'Inter' },
  });
  try {
    const image = resvg.render();
    try {
      const { pixels, width, height } = image;
      // Of what is not opaque the pixels have colours that are multiplied by their alpha.
      return isOpaque(pixels) ? pngOfPixels(pixels, { width, height }) : image.asPng();
    } finally {
      image.free();
    }
  } finally {
    resvg.free();
  }
}

async function load(): Promise<Tools> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  const [wasm, ...fonts] = await Promise.all([
    asset('index_bg.wasm', () => import.meta.resolve('@resvg/resvg-wasm/index_bg.wasm')),
    asset('inter-regular.ttf'),
    asset('inter-semibold.ttf'),
  ]);
  await initWasm(wasm);
  return { Resvg, fonts };
}

/**
 * A file that lies beside this module: in the checkout among the sources, in Lambda beside the bundle.
 * @param otherwise where it is if it does not lie there: in the checkout the WebAssembly is its package's
 */
async function asset(name: string, otherwise?: () => string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readFile(new URL(name, import.meta.url));
  } catch (error) {
    if (!otherwise || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return readFile(new URL(otherwise()));
  }
}
