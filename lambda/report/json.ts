import type { Message } from '../ports.ts';

/** A report as other programs read it: the body of a webhook, the detail of an event. */
export function drawJson({ id, kind, report, reportKey, urgent }: Omit<Message, 'deadline'>) {
  return { version: 1, id, kind, urgent, reportKey, report };
}
