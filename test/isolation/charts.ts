/**
 * vitest's setup for the files that play complete runs: a chart goes with its mail as the SVG that it is drawn from. Drawing
 * took most of their time, and the same SVG gives the same picture; that it does, and that mails carry one, is tested in
 * test/report.
 */
import { vi } from 'vitest';

vi.mock('../../lambda/report/chart/picture.ts', () => ({
  pngOf: async (svg: string) => Buffer.from(svg),
}));
