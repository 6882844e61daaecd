/** A section of a Markdown text, below its heading. @param heading without its marks. @throws where there is none */
export function sectionOf(markdown: string, heading: string): string {
  const start = new RegExp(String.raw`^(#+) ${RegExp.escape(heading)}\n`, 'm').exec(markdown);
  if (!start) throw new Error(`There is no section "${heading}".`);
  const [line, marks = ''] = start;
  const rest = markdown.slice(start.index + line.length);
  const end = rest.search(new RegExp(`^#{1,${marks.length}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The bodies of the fenced blocks of a language, without the indentation of a list; '' for those that name none. */
export function fencedBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms);
  return [...blocks]
    .filter(([, , its]) => its === language)
    .map(([, indent = '', , body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}
