import type { Mail } from '../ports.ts';

/** Headers of our own. */
export function headersOf({ urgent = false }: Mail): Record<string, string> {
  return {
    // RFC 3834: nobody's absence note answers it.
    'Auto-Submitted': 'auto-generated',
    // The first is RFC 4021's, which Outlook reads; the second is what most others read.
    ...(urgent && { Importance: 'high', 'X-Priority': '1 (Highest)' }),
  };
}
