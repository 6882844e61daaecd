import { CHART_SIZE } from './chart/chart-of.ts';
import { colour, type ColourName } from './chart/palette.ts';

/**
 * The look of our mails. Inline styles are what every mail program honours; the classes let those that can (Apple
 * Mail, Outlook on phones and Macs, browsers) switch to dark colours and to narrow screens.
 */

const light = (name: ColourName): string => colour(name, 'light');
const dark = (name: ColourName): string => colour(name, 'dark');

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/** Breaks words that are longer than a screen is wide. */
const BREAK = 'overflow-wrap:anywhere;word-break:break-word';

/** Words in names of columns are never broken, however narrow the screen. */
const HEAD = `border-bottom:1px solid ${light('rule')};font-size:12px;line-height:16px;font-weight:400;vertical-align:bottom;overflow-wrap:normal;word-break:normal;color:${light('soft')}`;
const CELL = 'font-size:13px;line-height:18px;font-weight:400;vertical-align:top';

/** Each of these hides it in some mail program. */
const HIDDEN = 'display:none;max-height:0;overflow:hidden;mso-hide:all';

export const STYLE = {
  body: `margin:0;padding:0;background:${light('page')}`,
  page: `width:100%;background:${light('page')}`,
  outer: 'padding:24px 0',
  card: `width:100%;max-width:600px;background:${light('card')}`,
  content: `padding:28px 28px 8px;${FONT};font-size:15px;line-height:22px;color:${light('ink')};text-align:left;${BREAK}`,
  footer: `padding:12px 28px 28px;${FONT};font-size:12px;line-height:18px;color:${light('soft')};text-align:left;${BREAK}`,
  footnote: 'margin:0 0 8px',
  hidden: HIDDEN,
  tenant: `margin:0 0 4px;font-size:13px;line-height:18px;color:${light('soft')}`,
  h1: 'margin:0 0 20px;font-size:22px;line-height:28px;font-weight:600',
  h2: `margin:28px 0 8px;padding-top:20px;border-top:1px solid ${light('rule')};font-size:17px;line-height:24px;font-weight:600`,
  h3: 'margin:20px 0 4px;font-size:15px;line-height:22px;font-weight:600',
  aside: `font-weight:400;color:${light('soft')}`,
  urgent: `margin:0 0 20px;padding:10px 14px;border:2px solid;color:${light('bad')}`,
  urgentWord: 'font-weight:600',
  paragraph: 'margin:12px 0',
  list: 'margin:0 0 12px;padding:0 0 0 20px',
  sentence: 'margin:16px 0 0;font-size:16px;line-height:24px',
  chart: 'margin:20px 0 0',
  picture: `display:block;width:100%;max-width:${CHART_SIZE.width}px;height:auto;border:0;font-size:13px;line-height:19px;color:${light('soft')}`,
  hiddenPicture: HIDDEN,
  sum: `border-top:1px solid ${light('rule')};font-weight:600`,
  figures: 'margin:2px 0 0;font-size:13px;line-height:19px',
  score: 'margin:0;font-size:40px;line-height:44px;font-weight:600;letter-spacing:-0.5px',
  change: 'margin:4px 0 0;font-weight:600',
  small: `margin:2px 0 0;font-size:13px;line-height:19px;color:${light('soft')}`,
  detail: 'margin:4px 0 0;font-size:13px;line-height:19px',
  label: `color:${light('soft')}`,
  table: 'width:100%;border-collapse:collapse',
  compact: 'width:100%;border-collapse:collapse;font-size:13px;line-height:18px',
  entry: 'margin:14px 0 20px',
  amount: 'font-size:15px;font-weight:600;white-space:nowrap',
  also: `margin:12px 0 2px;font-size:13px;line-height:18px;color:${light('soft')}`,
  part: `padding:3px 12px 3px 0;${CELL}`,
  partAmount: `padding:3px 0;${CELL};white-space:nowrap`,
  facts: `margin:10px 0 0;font-size:13px;line-height:20px;color:${light('soft')}`,
  title: 'margin:0;font-weight:600',
  head: `padding:4px 8px 4px 0;${HEAD}`,
  headNumber: `padding:4px 0 4px 8px;${HEAD}`,
  headCompact: `padding:4px;${HEAD}`,
  headText: `padding:4px 0 4px 16px;${HEAD}`,
  first: `padding:5px 8px 5px 0;${CELL}`,
  number: `padding:5px 0 5px 8px;${CELL};white-space:nowrap`,
  text: `padding:5px 0 5px 16px;${CELL}`,
  barCell: 'padding:10px 0 0 8px;vertical-align:top',
  link: `color:${light('link')};text-decoration-thickness:1px;text-underline-offset:2px`,
  track: `width:100%;border-collapse:collapse;background:${light('track')}`,
  filled: `height:8px;line-height:8px;font-size:0;background:${light('bar')}`,
  rest: 'height:8px;line-height:8px;font-size:0',
} as const;

/** The colours of a tone, inline. */
export const TONE = {
  bad: `color:${light('bad')}`,
  good: `color:${light('good')}`,
  neutral: `color:${light('soft')}`,
};

/** Class of a tone. */
export const TONE_CLASS = { bad: 'bad', good: 'good', neutral: 'soft' };

/** No quotes and no angle brackets in it: it passes the renderer's escaping unchanged. */
export const STYLESHEET = [
  ':root{color-scheme:light dark;supported-color-schemes:light dark}',
  '@media (max-width:480px){.pad{padding-left:16px!important;padding-right:16px!important}.outer{padding:0!important}}',
  `@media (prefers-color-scheme:dark){${[
    `.page{background:${dark('page')}!important}`,
    `.card{background:${dark('card')}!important}`,
    ...(['ink', 'soft', 'link', 'bad', 'good'] as const).map(
      (name) => `.${name}{color:${dark(name)}!important}`,
    ),
    `.rule{border-color:${dark('rule')}!important}`,
    `.track{background:${dark('track')}!important}`,
    `.bar{background:${dark('bar')}!important}`,
    '.day{display:none!important}.night{display:block!important;max-height:none!important;overflow:visible!important}',
  ].join('')}}`,
  // A page of paper is white, wider, and cut between rows.
  '@media print{.page,.card{background:#fff!important}.outer{padding:0!important}.card{max-width:none!important}.pad{padding:0!important}.card h2,.card h3{break-after:avoid}.card div,.card table tr,.card li{break-inside:avoid}}',
].join('\n');
