/**
 * A type of the history's tables, which every engine sees by name and type. Rows are derived only from the snapshots and
 * profiles of the archive, so that a rebuild gives equal rows.
 *
 * Files: `history/<table>/month=<yyyy-mm>/<tenant guid>.parquet`; `month` is a partition, the tenant a column.
 * Types are those that DuckDB and Athena (Trino) share. Points and maxima in points, percentages in per cent.
 */
export type ColumnType = 'VARCHAR' | 'DATE' | 'DOUBLE' | 'INTEGER' | 'BOOLEAN';

export interface Column {
  name: string;
  type: ColumnType;
  /** A description for people and for the data catalogue. */
  comment: string;
  /** Files of earlier versions lack it: it is null there. */
  added?: true;
}

export interface Table {
  name: 'scores' | 'controls' | 'changes';
  comment: string;
  columns: Column[];
  /** The order of the rows in a file, which lets engines skip parts of it. */
  sortedBy: string[];
}

/** A table as files see it. */
export type Columns = Pick<Table, 'columns' | 'sortedBy'> & { name: string };

const tenant: Column = { name: 'tenant', type: 'VARCHAR', comment: 'id of the tenant, a guid in lower case' };
const date: Column = { name: 'date', type: 'DATE', comment: 'day of the snapshot (UTC)' };

export const TABLES: Table[] = [
  {
    name: 'scores',
    comment: 'one row per tenant and day',
    sortedBy: ['date'],
    columns: [
      tenant,
      date,
      { name: 'points', type: 'DOUBLE', comment: 'points' },
      { name: 'maximum', type: 'DOUBLE', comment: 'achievable points' },
      { name: 'percentage', type: 'DOUBLE', comment: 'per cent, unrounded; null if the maximum is 0' },
      { name: 'controls', type: 'INTEGER', comment: 'number of controls that apply' },
      { name: 'peers_all', type: 'DOUBLE', comment: 'average of all tenants, per cent' },
      { name: 'peers_similar', type: 'DOUBLE', comment: 'average of tenants of similar size, per cent' },
      { name: 'services', type: 'VARCHAR', comment: 'enabled services, sorted, with commas' },
      { name: 'counted', type: 'BOOLEAN', comment: 'false for a suspect day, which no comparison counts' },
    ],
  },
  {
    name: 'controls',
    comment: 'one row per control and day',
    sortedBy: ['control', 'date'],
    columns: [
      tenant,
      date,
      { name: 'control', type: 'VARCHAR', comment: 'name of the control' },
      { name: 'title', type: 'VARCHAR', comment: 'its title in the catalogue, or else its name' },
      { name: 'category', type: 'VARCHAR', comment: 'Identity, Apps, Data, Device, …' },
      { name: 'service', type: 'VARCHAR', comment: 'service of the catalogue' },
      { name: 'points', type: 'DOUBLE', comment: 'points' },
      { name: 'maximum', type: 'DOUBLE', comment: 'achievable points, where known' },
      { name: 'percentage', type: 'DOUBLE', comment: 'per cent of its maximum, as stated by Graph' },
      {
        name: 'state',
        type: 'VARCHAR',
        comment: 'the decision in force (ThirdParty, Ignored, …); null: none',
      },
      { name: 'state_by', type: 'VARCHAR', comment: 'who took it' },
      { name: 'state_at', type: 'VARCHAR', comment: 'when, ISO 8601' },
      { name: 'last_synced', type: 'VARCHAR', comment: 'time at which its source was last synced, ISO 8601' },
      {
        name: 'effort',
        type: 'VARCHAR',
        comment: 'cost of the implementation, as stated in the catalogue (Low, Moderate, High)',
        added: true,
      },
    ],
  },
  {
    name: 'changes',
    comment: 'one row per change since the previous counted day',
    sortedBy: ['date', 'kind', 'control'],
    columns: [
      tenant,
      date,
      { name: 'previous_date', type: 'DATE', comment: 'the counted day before' },
      {
        name: 'kind',
        type: 'VARCHAR',
        comment: 'lost, gained, drift, new, removed, renamed, re-scored, decided, services, restated',
      },
      {
        name: 'control',
        type: 'VARCHAR',
        comment: 'name of the control; null if the row is about the tenant',
      },
      { name: 'previous_control', type: 'VARCHAR', comment: 'its former name, where renamed' },
      { name: 'title', type: 'VARCHAR', comment: 'title' },
      { name: 'category', type: 'VARCHAR', comment: 'category' },
      { name: 'points_before', type: 'DOUBLE', comment: 'points' },
      { name: 'points_after', type: 'DOUBLE', comment: 'points' },
      { name: 'maximum_before', type: 'DOUBLE', comment: 'achievable points, where known' },
      { name: 'maximum_after', type: 'DOUBLE', comment: 'achievable points, where known' },
      { name: 'percentage_points', type: 'DOUBLE', comment: 'its share of the change of the score' },
      {
        name: 'cause',
        type: 'VARCHAR',
        comment: 'earned, rescored, decided; null if the row carries no share',
      },
      {
        name: 'decision',
        type: 'VARCHAR',
        comment: 'state of the decision that the row is about, or that caused the change',
      },
      { name: 'decided_by', type: 'VARCHAR', comment: 'who took it' },
    ],
  },
];

const controlColumn = (name: string): Column =>
  TABLES.find((table) => table.name === 'controls')!.columns.find((column) => column.name === name)!;

/**
 * Controls as the copies of a closed month have them once more: one row for each stretch of days, one after the other,
 * on which a control stood the same. They are a twentieth of the rows, and what a page of many tenants is made from.
 */
export const STRETCHES: Columns & { name: 'stretches' } = {
  name: 'stretches',
  sortedBy: ['control', 'first_date'],
  columns: [
    tenant,
    ...['control', 'title', 'category', 'service', 'points', 'maximum', 'state', 'state_by', 'state_at'].map(
      controlColumn,
    ),
    { name: 'first_date', type: 'DATE', comment: 'first day of the stretch' },
    { name: 'last_date', type: 'DATE', comment: 'last day; the control has a row on each day between them' },
  ],
};
