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

/** A command that a document shows, and the heading of the section that shows it. */
export interface ShownCommand {
  section: string;
  command: string;
}

/**
 * What a document has its reader type, in its order: the lines of fenced blocks that name no language, without comments,
 * and what stands as code within a sentence and begins like a command.
 */
export function commandsOf(markdown: string): ShownCommand[] {
  const found: ShownCommand[] = [];
  let section = '';
  const parts = markdown.matchAll(
    /^#+ (?<heading>[^\n]*)$|^ *```(?<language>\w*)\n(?<block>.*?)^ *```$|`(?<span>[^`]+)`/gms,
  );
  for (const { groups = {} } of parts) {
    const { heading, language, block = '', span = '' } = groups;
    section = heading ?? section;
    const lines = language === '' ? block.split('\n') : [span].filter((code) => COMMAND.test(code));
    for (const line of lines) {
      const command = line
        .replace(/\s+#.*/, '')
        .replaceAll(/\s+/g, ' ')
        .trim();
      if (command !== '') found.push({ section, command });
    }
  }
  return found;
}

const COMMAND = /^(?:(?:\.\/secure-score|npm|npx|cp|aws|az|systemctl|crontab)\s|node_modules\/\.bin\/)/;
