import { answerOf, type Answer, type Value } from '../../history/answer.ts';

interface Page {
  nextUri?: string;
  columns?: { name: string; type: string }[];
  data?: Value[][];
  error?: { message: string };
}

/**
 * Runs a statement: https://trino.io/docs/current/develop/client-protocol.html
 * @param schema whose tables it names
 */
export async function askTrino(url: string, sql: string, schema = 'history'): Promise<Answer> {
  const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'history', 'X-Trino-Schema': schema };
  const fetched = async (address: string, init: RequestInit = {}): Promise<Page> =>
    (await (await fetch(address, { headers, ...init })).json()) as Page;
  const rows: Value[][] = [];
  let columns: string[] = [];
  let page = await fetched(`${url}/v1/statement`, { method: 'POST', body: sql });
  for (;;) {
    if (page.error) throw new Error(page.error.message);
    columns = page.columns?.map(({ name }) => name) ?? columns;
    rows.push(...(page.data ?? []));
    if (page.nextUri === undefined) return answerOf(columns, rows);
    page = await fetched(page.nextUri);
  }
}
