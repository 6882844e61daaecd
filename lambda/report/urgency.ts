import { day, listing, points, share, shortDay } from './format.ts';
import type { Report, Urgency } from './model.ts';
import type { MailKind } from '../ports.ts';

/** Whether a delivery is urgent: the scores of a report that crossed a line of the tenant's alerts. */
export function isUrgent({ urgent = [] }: Report, kind: MailKind): boolean {
  return kind === 'scores' && urgent.length > 0;
}

/** "The score is below 60 %, a limit set for this tenant.", a sentence a line that was crossed. */
export function urgentSentences({ urgent = [] }: Pick<Report, 'urgent'>): string[] {
  return urgent.map((each) => {
    switch (each.rule) {
      case 'below':
        return `The score has fallen below ${points(each.limit)} %, the limit set for this tenant.`;
      case 'drop':
        return `${lost(each)} percentage points have been lost since ${day(each.since)}; the limit set for this tenant is ${points(each.limit)}.`;
    }
  });
}

/** "below 60 % and 3.4 points lost since 3 Jan", for a subject. */
export function urgentEssence({ urgent = [] }: Report): string {
  return listing(
    urgent.map((each) =>
      each.rule === 'below'
        ? `below ${points(each.limit)} %`
        : `${lost(each)} lost since ${shortDay(each.since)}`,
    ),
  );
}

/** Without its sign: "3.4". */
function lost({ lost: amount }: Urgency & { rule: 'drop' }): string {
  return share(Math.abs(amount))
    .replace(/^[+±]/, '')
    .replace(/(\.\d)0$/, '$1');
}
