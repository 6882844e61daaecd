import { setTimeout as sleep } from 'node:timers/promises';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type ColumnInfo,
  type QueryExecution,
} from '@aws-sdk/client-athena';
import { answerOf, notReadOnly, type Answer, type HistoryEngine, type Value } from '../../history/answer.ts';
import { copiesIn, readingCopies, type Copies } from '../../history/copies.ts';
import { literal } from '../../history/placeholders.ts';
import { openBucket } from '../../lambda/archive/open-store.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { HISTORY_OUTPUTS, historyStackOf } from '../../lambda/outputs.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { asked, PATIENCE } from '../shared/aws.ts';
import { bytes } from '../shared/bytes.ts';
import { findHistory } from '../shared/deployment.ts';
import { progressLine, type ProgressLine } from '../shared/progress-line.ts';

/** Pauses between looks at a query, short at first, because most queries take a second or two. */
const POLL_MS = [250, 500, 1_000];

export interface AthenaOptions {
  workgroup: string;
  database: string;
  client?: AthenaClient;
  /** The archive, in which the copies of closed months are looked up; absent: only the files of the tenants are read. */
  store?: ObjectStore;
  progress?: ProgressLine;
  pollMs?: readonly number[];
}

/** @param stack the main stack of the deployment. @throws MonitorError `history-not-deployed`, and those of `asked` */
export async function athenaOf(stack: string): Promise<HistoryEngine> {
  const { athenaWorkgroup: workgroup, historyDatabase: database, historyBucket } = await findHistory(stack);
  if (workgroup && database) {
    const store = historyBucket === undefined ? {} : { store: await openBucket(`s3://${historyBucket}`) };
    return athenaHistory({ workgroup, database, ...store });
  }
  throw new MonitorError(
    'history-not-deployed',
    `The deployment ${quote(stack)} has no Athena workgroup: neither it nor ${quote(historyStackOf(stack))} has the outputs ${HISTORY_OUTPUTS.athenaWorkgroup} and ${HISTORY_OUTPUTS.historyDatabase}.`,
    'Deploy the history stack (npx cdk deploy --all), or leave out --engine athena: DuckDB asks a copy of the bucket.',
  );
}

/** Athena, on the tables of the deployment. Shows on a terminal how far a query is and how many bytes it read. */
export function athenaHistory({
  workgroup,
  database,
  client = new AthenaClient(PATIENCE),
  store,
  progress = progressLine(),
  pollMs = POLL_MS,
}: AthenaOptions): HistoryEngine {
  const target = `the workgroup ${quote(workgroup)}`;

  async function finished(id: string): Promise<QueryExecution> {
    for (let round = 0; ; round += 1) {
      const { QueryExecution: execution = {} } = await asked(
        'athena:GetQueryExecution',
        target,
        client.send(new GetQueryExecutionCommand({ QueryExecutionId: id })),
      );
      const state = execution.Status?.State ?? 'QUEUED';
      progress.show(`Athena: ${state.toLowerCase()}, ${statistics(execution)}`);
      if (state === 'SUCCEEDED') return execution;
      if (state === 'FAILED' || state === 'CANCELLED') throw failed(execution);
      await sleep(pollMs[Math.min(round, pollMs.length - 1)]);
    }
  }

  let copies: Promise<Copies> | undefined;

  async function run(statement: string): Promise<Answer> {
    if (store) copies ??= copiesIn(store);
    const sql = copies ? readingCopies(statement, await copies) : statement;
    const { QueryExecutionId: id = '' } = await asked(
      'athena:StartQueryExecution',
      target,
      client.send(
        new StartQueryExecutionCommand({
          QueryString: sql,
          WorkGroup: workgroup,
          QueryExecutionContext: { Database: database },
        }),
      ),
    );
    // A query that nobody waits for any more would still cost what it reads.
    const stop = () => {
      progress.clear();
      const stopped = client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
      void stopped.catch(() => undefined).finally(() => process.exit(130));
    };
    process.once('SIGINT', stop);
    try {
      const execution = await finished(id);
      const answer = await results(id);
      progress.end(`Athena: ${statistics(execution)}`);
      return answer;
    } finally {
      process.removeListener('SIGINT', stop);
      progress.clear();
    }
  }

  async function results(id: string): Promise<Answer> {
    const values: Value[][] = [];
    let columns: ColumnInfo[] = [];
    let token: string | undefined;
    do {
      const page = await asked(
        'athena:GetQueryResults',
        target,
        client.send(
          new GetQueryResultsCommand({ QueryExecutionId: id, ...(token ? { NextToken: token } : {}) }),
        ),
      );
      columns = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? columns;
      // The first row of the first page is the names of the columns.
      const rows = (page.ResultSet?.Rows ?? []).slice(token === undefined ? 1 : 0);
      for (const { Data = [] } of rows) {
        values.push(columns.map(({ Type }, index) => toValue(Data[index]?.VarCharValue, Type)));
      }
      token = page.NextToken;
    } while (token !== undefined);
    return answerOf(
      columns.map(({ Name }) => Name ?? ''),
      values,
    );
  }

  return {
    location: `Athena, workgroup ${workgroup}, database ${database}`,
    // Finding out would cost a query of its own, and a run archives every day anyway.
    newest: () => Promise.resolve(null),
    async oldest(tenant) {
      const where = tenant === null ? '' : ` WHERE tenant = ${literal(tenant)}`;
      const { rows } = await run(`SELECT CAST(min(date) AS VARCHAR) AS day FROM scores${where}`);
      const day = rows[0]?.['day'];
      return typeof day === 'string' ? day : null;
    },
    async ask(sql) {
      checkReadOnly(sql);
      return run(sql);
    },
  };
}

/** The first word of a statement decides what it does. */
function checkReadOnly(sql: string): void {
  const bare = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, (token) =>
    /^['"]/.test(token) ? 'x' : ' ',
  );
  const word = /^[\s(]*([a-z]+)/i.exec(bare)?.[1]?.toUpperCase() ?? 'nothing';
  if (!['SELECT', 'WITH', 'VALUES'].includes(word)) throw notReadOnly(word);
  if (/;\s*\S/.test(bare)) throw notReadOnly('several statements');
}

const NUMBERS = new Set(['tinyint', 'smallint', 'integer', 'bigint', 'float', 'double', 'decimal']);

/** A value as Athena prints it: https://docs.aws.amazon.com/athena/latest/APIReference/API_Datum.html */
function toValue(printed: string | undefined, type = 'varchar'): Value {
  if (printed === undefined) return null;
  if (type === 'boolean') return printed === 'true';
  if (!NUMBERS.has(type)) return printed;
  const number = Number(printed);
  return Number.isFinite(number) ? number : null;
}

function failed({ Status: status = {}, QueryExecutionId: id = '' }: QueryExecution): MonitorError {
  const why = status.StateChangeReason ?? status.AthenaError?.ErrorMessage ?? 'it does not say why';
  const limited = /bytes scanned limit/i.test(why);
  return new MonitorError(
    'athena-query-failed',
    `Athena did not answer (${status.State ?? 'FAILED'}, query ${id}): ${quote(why, 600)}`,
    limited
      ? 'The workgroup limits how much one query may read: ask for a shorter period, or raise its limit.'
      : 'Ask again with a shorter period. If that fails too, look the query up in the console of Athena.',
  );
}

function statistics({ Statistics: measured = {} }: QueryExecution): string {
  const seconds = (measured.TotalExecutionTimeInMillis ?? measured.EngineExecutionTimeInMillis ?? 0) / 1000;
  return `${bytes(measured.DataScannedInBytes ?? 0)} scanned, ${seconds.toFixed(1)} s`;
}
