import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { Catalogue, encode } from '../../history/page/data.ts';
import { listed, pageDocument, type Contents } from '../../history/page/document.ts';
import { packPart, scriptOf } from '../../history/page/pack.ts';
import { bundleScript } from '../../history/page/script.ts';
import { CATEGORY_COLOURS, pageStyle } from '../../history/page/style.ts';
import { decode, type WireTenant } from '../../history/page/wire.ts';
import { COLOURS } from '../../lambda/report/chart/palette.ts';
import { sampleRows } from './page-rows.ts';
import { CONTOSO } from './sample.ts';

const script = bundleScript();
const HOSTILE = `</script><script>alert(1)</script><!--"'&\u2028\${x}`;

const catalogueOf = (title: string) =>
  new Catalogue(sampleRows(CONTOSO).catalogue.map((row) => ({ ...row, title })));

const tenantOf = (name: string, title: string): WireTenant =>
  encode({ id: CONTOSO, name }, sampleRows(CONTOSO), catalogueOf(title))!;

/** A page of tenants that are called so, one title for all recommendations. */
async function pageOf(names: string[], title: string, change: Partial<Contents> = {}): Promise<string> {
  const wires = names.map((name) => tenantOf(name, title));
  const parts = await Promise.all(wires.map((wire, place) => packPart(`tenant-${place}`, wire)));
  parts.unshift(await packPart('catalogue', catalogueOf(title).texts));
  return pageDocument({ tenants: wires.map(listed), parts, files: {}, script, ...change });
}

interface Element {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

/** As a browser reads it. */
function elementsOf(html: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const parser = new Parser({
    onopentag: (name, attributes) => {
      const element = { name, attributes, text: '' };
      elements.push(element);
      open.push(element);
    },
    ontext: (text) => {
      const inside = open.at(-1);
      if (inside) inside.text += text;
    },
    onclosetag: () => void open.pop(),
  });
  parser.end(html);
  return elements;
}

const html = await pageOf([HOSTILE, 'Fabrikam'], HOSTILE);
const elements = elementsOf(html);
const named = (name: string) => elements.filter((element) => element.name === name);
const policy = named('meta').find(({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy')!
  .attributes['content']!;

describe('the page', () => {
  it('has the elements that it should have, whatever names and titles say', async () => {
    const plain = elementsOf(await pageOf(['A', 'Fabrikam'], 'Title'));
    expect(elements.map(({ name }) => name)).toEqual(plain.map(({ name }) => name));
    expect(named('script')).toHaveLength(6);
    expect(html).not.toContain('<script>alert');
    expect(JSON.parse(named('script')[0]!.text)).toEqual([
      { id: CONTOSO, name: HOSTILE },
      { id: CONTOSO, name: 'Fabrikam' },
    ]);
    expect(named('li')[0]!.text).toBe(`${HOSTILE}: 40.0 % on 6 Feb 2026`);
  });

  it('carries each tenant as it is', () => {
    const unpacked = (id: string): unknown => {
      const packed = named('script').find(({ attributes }) => attributes['id'] === id)!;
      return JSON.parse(gunzipSync(Buffer.from(packed.text, 'base64')).toString());
    };
    const tenant = unpacked('tenant-0') as WireTenant;
    expect(tenant).toEqual(tenantOf(HOSTILE, HOSTILE));
    expect(decode(tenant, unpacked('catalogue') as string[]).controls[0]!.title).toBe(HOSTILE);
  });

  it('refers to nothing outside itself', () => {
    for (const { name, attributes } of elements) {
      for (const attribute of ['src', 'href', 'action', 'srcset', 'data']) {
        const value = attributes[attribute];
        expect(value === undefined || /^(data:image\/svg|#)/.test(value), `${name} ${attribute}`).toBe(true);
      }
    }
    expect(pageStyle()).not.toMatch(/url\((?!#)|@import/);
    // The names of XML's vocabularies are no addresses.
    const addresses = script.match(/\bhttps?:\/\/[\w.]+/g) ?? [];
    expect([...new Set(addresses)].filter((address) => address !== 'http://www.w3.org')).toEqual([]);
  });

  it('allows its own script and style, and nothing else', () => {
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(named('script').at(-1)!.text)}`,
      `style-src ${hash(named('style')[0]!.text)}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    expect(elements.some(({ attributes }) => 'style' in attributes || 'onclick' in attributes)).toBe(false);
  });

  it('says something if scripts are off', () => {
    expect(named('noscript')).toHaveLength(1);
    expect(named('li').map(({ text }) => text)[1]).toBe('Fabrikam: 40.0 % on 6 Feb 2026');
  });

  it('is the same for the same history', async () => {
    expect(await pageOf([HOSTILE, 'Fabrikam'], HOSTILE, { script: bundleScript() })).toBe(html);
  });

  it('loads scripts only from its own files, if it has some', async () => {
    const files = { 'tenant-0': `${'a'.repeat(32)}.js` };
    const meta = elementsOf(await pageOf(['A'], 'B', { files })).find(
      ({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy',
    )!;
    const rules = meta.attributes['content']!.split('; ');
    expect(rules.filter((rule) => !policy.split('; ').includes(rule))).toEqual([
      `${policy.split('; ')[1]} 'strict-dynamic'`,
      'trusted-types parts',
    ]);
  });

  it('has parts in files named by their content, which cannot end the script early', async () => {
    const part = await packPart('tenant-0', { name: HOSTILE });
    const { file, script: text } = scriptOf(part);
    expect(file).toMatch(/^[0-9a-f]{32}\.js$/);
    expect(text).toMatch(/^secureScorePart\("[0-9a-f]{32}","[A-Za-z0-9+/=]+"\);\n$/);
    expect(scriptOf(await packPart('tenant-9', { name: HOSTILE })).file).toBe(file);
    expect(scriptOf(await packPart('tenant-0', { name: 'other' })).file).not.toBe(file);
  });

  it('is small: an empty one is its script and its style', () => {
    expect(script.length).toBeLessThan(140_000);
  });

  it('refuses a script that would end too early', async () => {
    await expect(pageOf(['A'], 'B', { script: '"</script>"' })).rejects.toThrow('end too early');
  });
});

/** WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker, lighter] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

describe('colours of categories', () => {
  it.each(CATEGORY_COLOURS.flatMap((colours) => [0, 1].map((theme) => [colours[theme]!, theme] as const)))(
    '%s (theme %i) can be read on a card',
    (colour, theme) => {
      expect(contrast(colour, COLOURS.card[theme]!)).toBeGreaterThanOrEqual(4.5);
    },
  );
});
