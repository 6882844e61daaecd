import type { RichElement, SlackBlock } from '../lambda/report/blocks.ts';

/** Blocks approximately as Slack shows them, with the sizes, colours and distances of its client. */

type Inline = (RichElement & { type: 'rich_text_section' })['elements'][number];

/** Emoji are drawn, because many machines have no font for them. */
const EMOJI: Record<string, string> = { rotating_light: '<span class="light"></span>' };

/** @returns a page that follows the screen's theme */
export function blocksPage(blocks: SlackBlock[]): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>body{margin:0;padding:16px 16px 24px 60px;font:15px/1.46668 Lato,'Noto Sans',system-ui,sans-serif;color:#1d1c1d;background:#fff;max-width:620px;overflow-wrap:anywhere}
p,ul,h3{margin:0}.block{margin:8px 0}h3{font-size:18px;line-height:1.33;font-weight:900}.context{font-size:13px;line-height:1.38;color:#616061;white-space:pre-wrap}
.text{white-space:pre-wrap}a{color:#1264a3;text-decoration:none}hr{border:0;border-top:1px solid #ddd;margin:16px 0 8px}ul{padding-left:26px}
.light{display:inline-block;width:14px;height:12px;border-radius:7px 7px 2px 2px;background:#e01e5a;vertical-align:-1px}
.app{position:absolute;left:16px;top:18px;width:34px;height:34px;border-radius:6px;background:#0f6cbd}
@media (max-width:480px){body{padding-left:58px}}
@media (prefers-color-scheme:dark){body{background:#1a1d21;color:#d1d2d3}.context{color:#ababad}a{color:#1d9bd1}hr{border-color:#3a3d40}}</style>
<div class="app"></div><p><b>Secure Score</b> <span class="context">07:00</span></p>
${blocks.map((block) => `<div class="block">${drawBlock(block)}</div>`).join('\n')}</html>`;
}

function drawBlock(block: SlackBlock): string {
  switch (block.type) {
    case 'header':
      return `<h3>${escape(block.text.text)}</h3>`;
    case 'context':
      return block.elements.map(({ text }) => `<p class="context">${escape(text)}</p>`).join('');
    case 'divider':
      return '<hr>';
    case 'rich_text':
      return block.elements.map(drawElement).join('');
  }
}

function drawElement(element: RichElement): string {
  switch (element.type) {
    case 'rich_text_section':
      return `<p class="text">${element.elements.map(drawInline).join('')}</p>`;
    case 'rich_text_list':
      return `<ul>${element.elements.map(({ elements }) => `<li class="text">${elements.map(drawInline).join('')}</li>`).join('')}</ul>`;
  }
}

function drawInline(of: Inline): string {
  if (of.type === 'emoji') return EMOJI[of.name] ?? `:${of.name}:`;
  const text = of.style?.bold ? `<b>${escape(of.text)}</b>` : escape(of.text);
  return of.type === 'link' ? `<a href="${escape(of.url)}">${text}</a>` : text;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
