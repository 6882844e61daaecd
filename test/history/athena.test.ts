import { Writable } from 'node:stream';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  type QueryExecution,
} from '@aws-sdk/client-athena';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytes } from '../../cli/shared/bytes.ts';
import { athenaHistory } from '../../cli/history/athena.ts';
import { progressLine } from '../../cli/shared/progress-line.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { MemoryStore } from '../run/fakes.ts';
import { secureScore } from '../cli/support.ts';

const athena = mockClient(AthenaClient);
const cloudFormation = mockClient(CloudFormationClient);
afterAll(() => {
  athena.restore();
  cloudFormation.restore();
});

const shown: string[] = [];
const progress = {
  show: (words: string) => void shown.push(words),
  clear: () => void shown.push('(clear)'),
  end: (words: string) => void shown.push(`end: ${words}`),
};
const engine = () =>
  athenaHistory({
    workgroup: 'history',
    database: 'secure_score',
    client: new AthenaClient({ region: 'eu-central-1' }),
    progress,
    pollMs: [0],
  });

beforeEach(() => {
  athena.reset();
  cloudFormation.reset();
  shown.length = 0;
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
});

const execution = (
  state: NonNullable<QueryExecution['Status']>['State'],
  scanned = 0,
  fields: QueryExecution = {},
) => ({
  QueryExecution: {
    QueryExecutionId: 'q1',
    Status: { State: state },
    Statistics: { DataScannedInBytes: scanned, TotalExecutionTimeInMillis: 1_200 },
    ...fields,
  },
});

const row = (...values: (string | undefined)[]) => ({
  Data: values.map((value) => (value === undefined ? {} : { VarCharValue: value })),
});

const COLUMNS = [
  { Name: 'tenant', Type: 'varchar' },
  { Name: 'date', Type: 'date' },
  { Name: 'points', Type: 'double' },
  { Name: 'days', Type: 'bigint' },
  { Name: 'counted', Type: 'boolean' },
];

function succeeds(): void {
  athena
    .on(GetQueryExecutionCommand)
    .resolvesOnce(execution('QUEUED'))
    .resolvesOnce(execution('RUNNING', 1_000))
    .resolves(execution('SUCCEEDED', 1_400_000));
  const ResultSetMetadata = { ColumnInfo: COLUMNS };
  athena
    .on(GetQueryResultsCommand)
    .resolvesOnce({
      ResultSet: {
        ResultSetMetadata,
        Rows: [
          row('tenant', 'date', 'points', 'days', 'counted'),
          row('a', '2026-02-01', '40.5', '3', 'true'),
        ],
      },
      NextToken: 'next',
    })
    .resolves({
      ResultSet: { ResultSetMetadata, Rows: [row('tenant', undefined, '1.0E-5', undefined, 'false')] },
    });
}

describe('a question to Athena', () => {
  it('is asked in the workgroup and answered in the same values as on DuckDB, over all pages', async () => {
    succeeds();
    const { columns, rows } = await engine().ask('SELECT 1', null);
    expect(columns).toEqual(['tenant', 'date', 'points', 'days', 'counted']);
    expect(rows).toEqual([
      { tenant: 'a', date: '2026-02-01', points: 40.5, days: 3, counted: true },
      // A value that looks like the heading, on a page that has none.
      { tenant: 'tenant', date: null, points: 0.00001, days: null, counted: false },
    ]);
    expect(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input).toEqual({
      QueryString: 'SELECT 1',
      WorkGroup: 'history',
      QueryExecutionContext: { Database: 'secure_score' },
    });
    expect(athena.commandCalls(GetQueryResultsCommand)[1]?.args[0].input).toEqual({
      QueryExecutionId: 'q1',
      NextToken: 'next',
    });
  });

  it('reads closed months from their copies, which it looks up once', async () => {
    const store = new MemoryStore();
    const copy = (table: string) => layout.closedColumns(table, '2026-01', '0123456789abcdef');
    const copies = { scores: [copy('scores')], controls: [copy('controls')], changes: [copy('changes')] };
    for (const [key] of Object.values(copies)) store.objects.set(key!, Buffer.from(''));
    const record = { version: 1, closed: true, closing: null, tenants: [], complete: true, copies };
    store.objects.set(layout.closedMonth('2026-01'), Buffer.from(JSON.stringify(record)));
    const list = vi.spyOn(store, 'list');
    const closed = athenaHistory({
      workgroup: 'w',
      database: 'd',
      store,
      client: new AthenaClient({}),
      progress,
      pollMs: [0],
    });
    for (const _ of [1, 2]) {
      succeeds();
      await closed.ask('SELECT 1 FROM scores', null);
    }
    const [first, second] = athena
      .commandCalls(StartQueryExecutionCommand)
      .map((call) => call.args[0].input.QueryString);
    expect(first).toContain(
      `closed_scores WHERE month IN ('2026-01') AND "$path" IN ('memory:/${copy('scores')}')`,
    );
    expect(second).toBe(first);
    expect(list).toHaveBeenCalledTimes(4);
  });

  it('shows how far it is, and in the end what it read', async () => {
    succeeds();
    await engine().ask('SELECT 1', null);
    expect(shown).toEqual([
      'Athena: queued, 0 bytes scanned, 1.2 s',
      'Athena: running, 1.0 kB scanned, 1.2 s',
      'Athena: succeeded, 1.4 MB scanned, 1.2 s',
      'end: Athena: 1.4 MB scanned, 1.2 s',
      '(clear)',
    ]);
  });

  it.each([
    'INSERT INTO scores SELECT 1',
    'DROP TABLE scores',
    'CREATE TABLE t AS SELECT 1',
    "UNLOAD (SELECT 1) TO 's3://x/'",
    'EXPLAIN ANALYZE INSERT INTO scores SELECT 1',
    '/* SELECT */ DELETE FROM scores',
    '-- SELECT\nMSCK REPAIR TABLE scores',
    'SELECT 1; DROP TABLE scores',
    '"SELECT" x',
    '',
  ])('%j is refused before it is sent', async (sql) => {
    await expect(engine().ask(sql, null)).rejects.toMatchObject({ code: 'history-sql-not-read-only' });
    expect(athena.calls()).toEqual([]);
  });

  it.each(['select 1;', '(SELECT 1)', 'WITH a AS (SELECT 1) SELECT * FROM a', "SELECT 'a; b' -- c; d"])(
    '%j is sent',
    async (sql) => {
      succeeds();
      await engine().ask(sql, null);
      expect(athena.commandCalls(StartQueryExecutionCommand)).toHaveLength(1);
    },
  );

  it.each<[string, string, string]>([
    ['COLUMN_NOT_FOUND: line 1:8: Column "nope" cannot be resolved', 'nope', 'shorter period'],
    ['Query exhausted. Bytes scanned limit was exceeded', 'limit was exceeded', 'raise its limit'],
  ])('that fails with %j says so', async (reason, message, advice) => {
    athena
      .on(GetQueryExecutionCommand)
      .resolves(execution('FAILED', 0, { Status: { State: 'FAILED', StateChangeReason: reason } }));
    await expect(engine().ask('SELECT nope', null)).rejects.toMatchObject({
      code: 'athena-query-failed',
      message: expect.stringContaining(message),
      advice: expect.stringContaining(advice),
    });
    expect(shown.at(-1)).toBe('(clear)');
  });

  it('without a permission says which one is missing', async () => {
    athena
      .on(StartQueryExecutionCommand)
      .rejects(Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' }));
    await expect(engine().ask('SELECT 1', null)).rejects.toMatchObject({
      code: 'aws-access-denied',
      message: expect.stringContaining('athena:StartQueryExecution'),
    });
  });

  it('reports how much it read in units', () => {
    expect([0, 999, 1_000, 1_234_567, 5e9, 7.7e15].map(bytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '1.2 MB',
      '5.0 GB',
      '7700.0 TB',
    ]);
  });
});

describe('secure-score history --engine athena', () => {
  const ask = () => {
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    return secureScore('history', 'trend', '--engine', 'athena', '--json', '--from', '2026-01-01');
  };
  const stacks = (outputs: Record<string, string>) => ({
    Stacks: [
      {
        StackName: 'x',
        CreationTime: new Date(),
        StackStatus: 'CREATE_COMPLETE' as const,
        Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
      },
    ],
  });
  const absent = Object.assign(new Error('Stack with id x does not exist'), { name: 'ValidationError' });

  it.each(['SecureScoreMonitor-History', 'SecureScoreMonitor'])(
    'finds workgroup and database in the outputs of %s, and asks the same question',
    async (stack) => {
      cloudFormation.on(DescribeStacksCommand).rejects(absent);
      cloudFormation
        .on(DescribeStacksCommand, { StackName: stack })
        .resolves(stacks({ AthenaWorkgroup: 'w', HistoryDatabase: 'd' }));
      succeeds();
      const { code, json, stderr } = await ask();
      expect(code).toBe(0);
      expect(json()).toHaveLength(2);
      expect(stderr).toContain('1.4 MB scanned');
      const { QueryString, WorkGroup, QueryExecutionContext } =
        athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input ?? {};
      expect([WorkGroup, QueryExecutionContext]).toEqual(['w', { Database: 'd' }]);
      expect(QueryString).toContain("date BETWEEN DATE '2026-01-01' AND DATE '");
    },
  );

  it('says what to do if it is not deployed', async () => {
    cloudFormation.on(DescribeStacksCommand).rejects(absent);
    expect(await ask()).toMatchObject({ code: 1, stderr: expect.stringContaining('npx cdk deploy') });
    cloudFormation.on(DescribeStacksCommand).resolves(stacks({ FunctionName: 'f' }));
    expect(await ask()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no Athena workgroup.*\n→ Deploy the history stack/),
    });
  });
});

describe('a line of progress', () => {
  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    const fake = new Writable({
      write(words: Buffer, _, done) {
        written.push(words.toString());
        done();
      },
    });
    return { written, line: progressLine(Object.assign(fake, { isTTY, columns: 20 }) as never) };
  };

  it('is overwritten on a terminal, and only its end is left', () => {
    const { written, line } = stream(true);
    line.show('as long as it takes, and longer');
    line.end('done');
    expect(written[0]).toContain('\r\u001B[2K');
    expect(written[0]).toContain('as long as it takes');
    expect(written[0]).not.toContain('longer');
    expect(written[1]).toMatch(/done.*\n$/s);
  });

  it('is only its end without a terminal', () => {
    const { written, line } = stream(false);
    line.show('a');
    line.clear();
    line.end('done');
    expect(written).toEqual(['done\n']);
  });
});
