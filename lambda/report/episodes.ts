import type { OperationsItem, Report } from './model.ts';

/** An incident that lasts for some time. It is reported when it begins, and may be over before that report is sent. */
export interface Episode {
  kind: 'stale' | 'suspect' | 'catalogue' | 'unreadable' | 'undelivered' | 'failing';
  /** Date (yyyy-mm-dd) or ISO 8601; of deliveries, with the name of their queue before it. */
  since: string;
}

/** Which items each episode covers. */
const COVERS: Record<OperationsItem['kind'], Episode['kind'] | null> = {
  stale: 'stale',
  suspect: 'suspect',
  disagreeing: 'suspect',
  catalogue: 'catalogue',
  unreadable: 'unreadable',
  failing: 'failing',
  undelivered: 'undelivered',
  // A loss is never over.
  dropped: null,
};

/** @returns null for an item that is not an episode */
export function episodeOf(item: OperationsItem): Episode | null {
  const kind = COVERS[item.kind];
  if (kind === null || item.kind === 'dropped') return null;
  if (item.kind === 'undelivered') return { kind, since: `${item.queue} ${item.since}` };
  return { kind, since: 'since' in item ? item.since : item.date };
}

export function episodesOf({ operations }: Report): Episode[] {
  return operations.flatMap((item) => episodeOf(item) ?? []);
}
