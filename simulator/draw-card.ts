import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AdaptiveCard } from '../lambda/report/card.ts';

/** A card approximately as Teams shows it, drawn by Microsoft's own renderer, with the sizes and colours of Teams. */

const require = createRequire(import.meta.url);
/** The script is read only when a card is drawn, because most simulations draw none. */
const script = () => readFileSync(require.resolve('adaptivecards/dist/adaptivecards.min.js'), 'utf8');

const THEMES = {
  light: {
    ink: '#242424',
    soft: '#616161',
    bad: '#c4314b',
    good: '#237b4b',
    accent: '#5b5fc7',
    alarm: '#fcf4f6',
  },
  dark: {
    ink: '#ffffff',
    soft: '#adadad',
    bad: '#f9526b',
    good: '#92c353',
    accent: '#9299f7',
    alarm: '#4d2a30',
  },
} as const;

function hostConfig(theme: keyof typeof THEMES) {
  const of = THEMES[theme];
  const colour = (of_: string) => ({ default: of_, subtle: of_ });
  const foregroundColors = {
    default: { default: of.ink, subtle: of.soft },
    attention: colour(of.bad),
    good: colour(of.good),
    accent: colour(of.accent),
  };
  return {
    fontFamily: "'Segoe UI', system-ui, sans-serif",
    supportsInteractivity: true,
    spacing: { small: 4, default: 8, medium: 16, large: 20, extraLarge: 24, padding: 16 },
    separator: { lineThickness: 1, lineColor: theme === 'light' ? '#e0e0e0' : '#525252' },
    fontSizes: { small: 12, default: 14, medium: 16, large: 20, extraLarge: 28 },
    fontWeights: { lighter: 300, default: 400, bolder: 600 },
    containerStyles: {
      default: { backgroundColor: theme === 'light' ? '#ffffff' : '#292929', foregroundColors },
      attention: { backgroundColor: of.alarm, foregroundColors },
    },
    actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: 'horizontal', actionAlignment: 'left' },
  };
}

/** @returns a page that follows the screen's theme; it needs scripts */
export function cardPage(card: AdaptiveCard): string {
  const data = JSON.stringify({ card, light: hostConfig('light'), dark: hostConfig('dark') }).replaceAll(
    '<',
    '\\u003c',
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>body{margin:0;padding:12px;background:#f5f5f5}#card{max-width:760px;border:1px solid #e0e0e0;border-radius:6px;overflow:hidden;overflow-wrap:anywhere}
a{color:#4f52b2}.ac-pushButton{font:600 14px 'Segoe UI',system-ui;padding:6px 14px;border:1px solid #d1d1d1;border-radius:4px;background:#fff;color:#242424}
@media (prefers-color-scheme:dark){body{background:#1f1f1f}#card{border-color:#424242}a{color:#9ea2ff}.ac-pushButton{background:#292929;color:#fff;border-color:#666}}</style>
<div id="card"></div><script>${script()}</script><script>
const {card, light, dark} = ${data};
const drawn = new AdaptiveCards.AdaptiveCard();
drawn.hostConfig = new AdaptiveCards.HostConfig(matchMedia('(prefers-color-scheme:dark)').matches ? dark : light);
drawn.parse(card);
document.getElementById('card').append(drawn.render());
</script></html>`;
}
