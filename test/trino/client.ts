import { answerOf, type Answer, type Value } from '../../history/answer.ts';

interface Page {
  nextUri?: string;
  columns?: { name: string; type: string }[];
  data?: Value[][];
  error?: { message: string };
}

const HEADERS = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'history', 'X-Trino-Schema': 'history' };

/** Runs a statement: https://trino.io/docs/current/develop/client-protocol.html */
export async function askTrino(url: string, sql: string): Promise<Answer> {
  const fetched = async (address: string, init: RequestInit = {}): Promise<Page> =>
    (await (await fetch(address, { headers: HEADERS, ...init })).json()) as Page;
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
