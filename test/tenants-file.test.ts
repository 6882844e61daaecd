import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfig, loadConfig } from '../cli/shared/load-config.ts';
import { parseConfig, tenantsFrom, type Config } from '../lambda/config.ts';
import { COLUMNS, parseTenantsFile, withTenants } from '../lambda/tenants-file.ts';
import { SecureScoreMonitor } from '../lib/index.ts';
import { configurationFiles } from '../pack/configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenants-'));
afterAll(() => rmSync(folder, { recursive: true }));

const id = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const CONFIG = {
  app: { clientId: id(9) },
  operations: ['oncall@contoso.com'],
  mail: { from: 'secure-score@contoso.com' },
};

let files = 0;
/** What a config makes of a tenants file with this content. */
function load(content: string | Uint8Array, ending = 'csv'): Config {
  const name = `tenants-${(files += 1)}.${ending}`;
  writeFileSync(join(folder, name), content);
  const { input, place } = withTenants({ ...CONFIG, tenants: tenantsFrom(name) }, folder);
  return parseConfig(input, 'monitor.config.ts', place);
}

/** Its error, with the file's name as in all of them. */
function errorOf(content: string | Uint8Array, ending = 'csv'): string {
  try {
    load(content, ending);
  } catch (error) {
    return (error as Error).message.replaceAll(/tenants-\d+\./g, 'tenants.');
  }
  throw new Error('the file was accepted');
}

const HEADER = 'name,tenantId,recipients\n';
const ROW = `Contoso,${id(1)},soc@msp.example\n`;

describe('a CSV file', () => {
  test('has a row per tenant, with every field that the config has for it', () => {
    const { tenants } = load(
      `Name,Tenant ID,domain,recipients.scores,recipients.controls,tags,cloud,clientId,certificate,schedule.at,schedule.timeZone,alerts.confirmDrops,alerts.minimumPoints,alerts.mute,alerts.below,alerts.drop,rotate,signIn
"Contoso, ""Ltd.""",${id(1)},contoso.com,a@b.co;SecOps Team <s@b.co>,"""Ops, all"" <o@b.co> x@b.co",Gold;eu,usgov,${id(2)},secure-score/contoso,08:00,Europe/Budapest,2,"0,5",scid_*;AdminMFAV2,60,3,false,certificate
Fabrikam,${id(3).toUpperCase()},,c@d.co,c@d.co,,https://login.example https://graph.example,,,,,,,,,,,
`,
    );
    expect(tenants).toMatchObject([
      {
        name: 'Contoso, "Ltd."',
        tenantId: id(1),
        clientId: id(2),
        cloud: { graphEndpoint: 'https://graph.microsoft.us' },
        recipients: {
          scores: ['a@b.co', 'SecOps Team <s@b.co>'],
          controls: ['"Ops, all" <o@b.co>', 'x@b.co'],
        },
        tags: ['gold', 'eu'],
        certificate: 'secure-score/contoso',
        schedule: { at: '08:00', timeZone: 'Europe/Budapest' },
        alerts: { confirmDrops: 2, minimumPoints: 0.5, mute: ['scid_*', 'AdminMFAV2'], below: 60, drop: 3 },
        rotate: false,
        signIn: 'certificate',
      },
      {
        name: 'Fabrikam',
        tenantId: id(3),
        clientId: id(9),
        cloud: { authorityHost: 'https://login.example', graphEndpoint: 'https://graph.example' },
        tags: [],
      },
    ]);
    // The function's event is strict, and has no domain.
    expect(tenants[0]).not.toHaveProperty('domain');
  });

  test('has a column for every field of a tenant', () => {
    interface Node {
      type?: string;
      properties?: Record<string, Node>;
      items?: Node;
      anyOf?: Node[];
    }
    const schema = JSON.parse(configurationFiles()['monitor.config.schema.json']!) as Node;
    const leaves = (node: Node, path: string[]): string[] =>
      node.properties
        ? Object.entries(node.properties).flatMap(([name, each]) => leaves(each, [...path, name]))
        : node.anyOf?.some(({ properties }) => properties)
          ? node.anyOf.flatMap((form) => leaves(form, path))
          : [path.join('.')];
    const fields = leaves(schema.properties!['tenants']!.anyOf![0]!.items!, []);
    expect(fields.length).toBeGreaterThan(15);
    // The addresses of a cloud stand in one cell.
    const wanted = new Set(fields.map((field) => field.replace(/^cloud\..*/, 'cloud')));
    expect(new Set(Object.keys(COLUMNS))).toEqual(new Set([...wanted, 'domain']));
  });

  test.each<[string, string | Uint8Array]>([
    ['with CRLF', `${HEADER}Müller,${id(1)},a@b.co`.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\uFEFF${HEADER}Müller,${id(1)},a@b.co\n`],
    ['with line breaks of an old Mac', `${HEADER}Müller,${id(1)},a@b.co\n`.replaceAll('\n', '\r')],
    ['in UTF-16', Buffer.from(`\uFEFF${HEADER}Müller,${id(1)},a@b.co\n`, 'utf16le')],
    ['with semicolons', `${HEADER}Müller,${id(1)},a@b.co\n`.replaceAll(',', ';')],
    ['with tabs', `${HEADER}Müller,${id(1)},a@b.co\n`.replaceAll(',', '\t')],
    ['with the line that Excel reads', `sep=;\r\n${`${HEADER}Müller,${id(1)},a@b.co`.replaceAll(',', ';')}`],
    [
      'with comments and empty lines',
      `# ours, "all"\r\n\r\n${HEADER}\n# later\nMüller,${id(1)},a@b.co\n\n,,\n`,
    ],
    ['with empty columns at its end', `name,tenantId,recipients,,\nMüller,${id(1)},a@b.co,,\n`],
    ['with blanks', `name , tenantId, recipients\n Müller , ${id(1)} , a@b.co \n`],
    ['with quotes', `"name","tenantId","recipients"\n"Müller","${id(1)}","a@b.co"\n`],
  ])('is read %s', (_, content) => {
    expect(load(content).tenants).toMatchObject([
      { name: 'Müller', tenantId: id(1), recipients: { scores: ['a@b.co'] } },
    ]);
  });

  test.each<[string, string | Uint8Array, string]>([
    [
      'a value',
      `${HEADER}${ROW}# one more\nFabrikam,abc,"a@b.co;\nnobody"\n`,
      '  tenants.csv, line 4, column tenantId: found "abc", expected a guid like',
    ],
    [
      'an address',
      `${HEADER}Fabrikam,${id(2)},a@b.co nobody\n`,
      'line 2, column recipients: found "nobody", ',
    ],
    ['a missing value', `${HEADER}${ROW}Fabrikam,${id(2)}\n`, 'line 3, column recipients: is missing'],
    ['a missing column', `name,recipients\nFabrikam,a@b.co\n`, 'line 2, column tenantId: is missing'],
    [
      'a value of a nested field',
      `${HEADER.trim()},alerts.below\n${ROW.trim()},much\n`,
      'line 2, column alerts.below: found "much", expected a number',
    ],
    [
      'a wrong flag',
      `${HEADER.trim()},rotate\n${ROW.trim()},WAHR\n`,
      'line 2, column rotate: found "WAHR", expected true or false',
    ],
    [
      'an id that is there twice',
      `${HEADER}${ROW}\nFabrikam,${id(1)},a@b.co\n`,
      `line 4, column tenantId: found "${id(1)}", expected a tenantId of its own: tenants.csv, line 2 has the same`,
    ],
    [
      'a header that is none',
      `name,tenant,recipients\n`,
      'line 1, cell 2: "tenant" is no column, expected one of name, tenantId,',
    ],
    [
      'a header that is there twice',
      `name,tenantId,Name,recipients\n`,
      'line 1, cell 3: the column "Name" is there twice',
    ],
    [
      'recipients in two ways',
      `name,recipients,recipients.scores\n`,
      'line 1: has the columns recipients and recipients.scores, expected one of the two',
    ],
    [
      'a comma outside quotes',
      `${HEADER}Contoso, Ltd.,${id(1)},a@b.co\n`,
      'line 2: has 4 cells, the header 3: a value with "," in it, like the one before "a@b.co"',
    ],
    [
      'a quote that stays open',
      `${HEADER}${ROW}"Fabrikam,${id(2)},a@b.co\n`,
      'line 3: a double quote is opened here or in a row below, and never closed',
    ],
    [
      'a quote in the middle',
      `${HEADER}Contoso 24",${id(1)},a@b.co\n`,
      'line 2: a double quote stands where none can be, in cell 1',
    ],
    [
      'the code page of a country',
      Buffer.from(`${HEADER}M\u00FCller,${id(1)},a@b.co\n`, 'latin1'),
      'line 2, column 2: has bytes that are not UTF-8',
    ],
    [
      'a domain without an id',
      `name,domain,recipients\nContoso,contoso.com,a@b.co\n`,
      'tenants.csv, line 2, column tenantId: is missing',
    ],
    ['no rows', HEADER, 'expected at least one tenant'],
    ['nothing', '', 'expected at least one tenant'],
  ])('that is wrong names line and column, and quotes: %s', (_, content, message) => {
    expect(errorOf(content)).toContain(message);
  });

  test('with only a domain says which command resolves it', () => {
    expect(errorOf(`name,domain,recipients\nContoso,contoso.com,a@b.co\n`)).toMatch(
      /tenant add contoso\.com/,
    );
  });

  test('has the place of every row, whatever is between them', () => {
    const between = fc.constantFrom('', '\n', '# a "comment, ;\n', ',,\n', '\n#\n');
    const name = fc.stringMatching(/^[a-zäß"\n#, ]{0,12}$/).map((each) => `a${each.trim()}z`);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(between, name), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, lineBreak) => {
          let content = '# top\nname,tags\n'.replaceAll('\n', lineBreak);
          const wanted = rows.map(([before, each]) => {
            content += before.replaceAll('\n', lineBreak);
            const row = `"${each.replaceAll('"', '""')}",x${lineBreak}`;
            const line = content.split('\n').length;
            content += row;
            return { name: each, row, place: `t.csv, line ${line}, column name` };
          });
          const found = parseTenantsFile(content, 't.csv').rows.map(({ tenant, start, end, place }) => ({
            name: tenant['name'],
            row: content.slice(start, end),
            place: place(['name']),
          }));
          expect(found).toEqual(wanted);
        },
      ),
    );
  });
});

describe('a JSON file', () => {
  const entry = { name: 'Müller', tenantId: id(1), domain: 'contoso.com', recipients: ['a@b.co'] };

  test('has a list in the form of the config', () => {
    const alerts = { mute: ['x'], below: 50 };
    const { tenants } = load(`\uFEFF${JSON.stringify([{ ...entry, tags: ['gold'], alerts }])}`, 'json');
    expect(tenants).toMatchObject([{ name: 'Müller', tags: ['gold'], alerts }]);
  });

  test.each<[string, string, string]>([
    [
      'a value',
      JSON.stringify([entry, { ...entry, name: 'B', tenantId: 'a "b' }], null, 2),
      '  tenants.json, line 12, column 17, tenantId: found "a "b", expected a guid',
    ],
    [
      'an entry of a list',
      JSON.stringify([{ ...entry, recipients: ['a@b.co', 'x'] }], null, 2),
      'line 8, column 7, recipients.1: found "x"',
    ],
    [
      'a missing field',
      `[\n  {"name": "B", "recipients": ["a@b.co"]}\n]`,
      'line 2, column 3, tenantId: is missing',
    ],
    [
      'a domain alone',
      `[{"name": "B", "domain": "b.co"}]`,
      'line 1, column 2, tenantId: is missing, and nobody is asked for it here',
    ],
    [
      'a field that is none',
      JSON.stringify([{ ...entry, colour: 1 }], null, 2),
      'line 9, column 15, colour: is not a field',
    ],
    ['a syntax error', '[\n  {"name": "B",}\n]', '(line 2, column 16)'],
    ['no list', '{"tenants": []}', 'expected a list'],
    ['no object', '[\n 3]', 'line 2, column 2: is 3, expected an object'],
    ['a domain that is none', '[{"domain": 3}]', 'line 1, column 13, domain: found 3'],
  ])('that is wrong names line and column, and quotes: %s', (_, content, message) => {
    expect(errorOf(content, 'json')).toContain(message);
  });
});

describe('the path of a tenants file', () => {
  test('is relative to the config, in TypeScript and in JSON', async () => {
    writeFileSync(join(folder, 'tenants.csv'), HEADER + ROW);
    const json = join(folder, 'config.json');
    writeFileSync(json, JSON.stringify({ ...CONFIG, tenants: { from: 'tenants.csv' } }));
    expect((await loadConfig(json)).tenants).toMatchObject([{ name: 'Contoso', tags: [] }]);
    expect(await readConfig(json)).toMatchObject({ tenants: { from: 'tenants.csv' } });
  });

  test.each<[string, string, string]>([
    ['is nowhere', 'none.csv', 'tenants-file-missing'],
    ['has another ending', 'tenants.xlsx', 'tenants-file-unknown'],
  ])('that %s is reported', (_, from, code) => {
    writeFileSync(join(folder, 'tenants.xlsx'), '');
    const read = () => withTenants({ ...CONFIG, tenants: { from } }, folder);
    expect(read).toThrow(expect.objectContaining({ code }) as Error);
    expect(read).toThrow(from);
  });

  test('is read by the construct too', () => {
    const path = join(folder, 'app.csv');
    writeFileSync(path, `${HEADER}${ROW}Fabrikam,x,a@b.co\n`);
    const config = { ...CONFIG, tenants: tenantsFrom(path) };
    // An error comes before the function is bundled, which takes seconds.
    expect(() => new SecureScoreMonitor(new Stack(new App(), 'Stack'), 'Monitor', { config })).toThrow(
      'line 3, column tenantId: found "x"',
    );
  });
});
