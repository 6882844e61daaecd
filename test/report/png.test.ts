import { Resvg } from '@resvg/resvg-wasm';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { pngOf } from '../../lambda/report/chart/picture.ts';
import { isOpaque, pngOfPixels } from '../../lambda/report/chart/png.ts';

const svg = (width: number, height: number, content: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${content}</svg>`;

beforeAll(async () => {
  // The first picture loads the WebAssembly, which is the decoder here.
  await pngOf(svg(1, 1, ''));
});

function decoded(png: Uint8Array, width: number, height: number): Uint8Array {
  const href = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  const image = `<image href="${href}" width="${width}" height="${height}" image-rendering="pixelated"/>`;
  return new Resvg(svg(width, height, image)).render().pixels;
}

test('a decoder reads the pixels that were written', () => {
  const pictures = fc
    .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
    .chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        colours: fc.array(fc.nat(0xff_ff_ff), { minLength: width * height, maxLength: width * height }),
      }),
    );
  fc.assert(
    fc.property(pictures, ({ width, height, colours }) => {
      const pixels = Uint8Array.from(colours.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255, 255]));
      expect(Buffer.compare(decoded(pngOfPixels(pixels, { width, height }), width, height), pixels)).toBe(0);
    }),
  );
});

test('what shines through is left to the encoder that knows about it', async () => {
  expect(isOpaque(Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255))).toBe(true);
  expect(isOpaque(Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 254))).toBe(false);
  const half = '<rect width="9" height="9" fill="#f00" fill-opacity="0.5"/>';
  const pixels = decoded(await pngOf(svg(9, 9, half)), 18, 18);
  // As drawn, multiplied by the alpha; another encoding would have multiplied twice.
  expect([...pixels.subarray(0, 4)]).toEqual([128, 0, 0, 128]);
});
