import { expect, test, vi } from 'vitest';
import { renderMail } from '../../lambda/report/render.ts';
import { readHtml } from './reading.ts';
import { reports } from './reports.ts';

vi.mock('../../lambda/report/chart/picture.ts', () => ({
  pngOf: () => Promise.reject(new Error('no WebAssembly here')),
}));

test('a chart that cannot be drawn holds back no mail: its description replaces it', async () => {
  const { html, attachments, problem } = await renderMail(reports.scores.typical, 'scores');
  expect(problem?.message).toBe('no WebAssembly here');
  expect(attachments).toEqual([]);
  const { elements, text } = readHtml(html);
  expect(elements.filter(({ name }) => name === 'img')).toEqual([]);
  expect(text).toContain('Chart of the Secure Score from 12 Oct 2025 to 9 Jan 2026');
});
