import { argv } from 'node:process';
import { pngOf } from '../../lambda/report/chart/picture.ts';
import { chartOf } from '../../lambda/report/chart/chart-of.ts';
import { drawScoreChart } from '../../lambda/report/chart/score-chart.ts';
import { renderMail } from '../../lambda/report/render.ts';
import { reports } from '../../test/report/reports.ts';
import { measured } from '../measure.ts';

/**
 * The work of making mails, one kind per process; `nothing` shows what the process itself costs. The program runs
 * without a bundle, because it reads fonts and WebAssembly from beside its sources.
 */
const WORKS: Record<string, () => Promise<unknown>> = {
  nothing: () => Promise.resolve(),
  /** 300 changed controls with all the texts there can be, and no chart. */
  largest: () => renderMail({ ...reports.scores.monstrous, trend: [] }, 'scores'),
  /** The same with both its charts: loads the WebAssembly and the fonts. */
  'largest with chart': () => renderMail(reports.scores.monstrous, 'scores'),
  /** An ordinary mail, as a run sends it. */
  typical: () => renderMail(reports.scores.typical, 'scores'),
  /** One picture, and the loading of what draws it. */
  picture: () => pngOf(drawScoreChart(chartOf(reports.scores.typical.trend)!, 'light')),
};

const work = WORKS[argv[2] ?? ''];
if (!work) throw new Error(`There is no work "${argv[2]}". Choose one of: ${Object.keys(WORKS).join(', ')}`);
await measured(work);
