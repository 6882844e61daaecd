/**
 * The colours of mails, charts and pages, light and dark. Text on `page` and `card` has WCAG's contrast of 4.5 : 1, drawings
 * 3 : 1; tests check both.
 */
export const COLOURS = {
  page: ['#f3f4f6', '#0f1216'],
  card: ['#ffffff', '#181c22'],
  ink: ['#1b1f24', '#e9ecef'],
  soft: ['#59636e', '#a5afba'],
  rule: ['#dfe3e8', '#313841'],
  track: ['#e4e8ed', '#313841'],
  bar: ['#0f6cbd', '#5aa7ea'],
  link: ['#0f5ea8', '#7ab8ff'],
  bad: ['#b42318', '#ff8f85'],
  good: ['#1a7433', '#58c873'],
} as const;

export type ColourName = keyof typeof COLOURS;
export type Theme = 'light' | 'dark';

export function colour(name: ColourName, theme: Theme): string {
  return COLOURS[name][theme === 'light' ? 0 : 1];
}
