import type { Mail } from '../ports.ts';

/** The headers that we add to a mail. */
export function headersOf({ urgent = false }: Mail): Record<string, string> {
  return {
    // This header of RFC 3834 prevents out-of-office replies.
    'Auto-Submitted': 'auto-generated',
    // Outlook reads the first one (RFC 4021), most other programs the second.
    ...(urgent && { Importance: 'high', 'X-Priority': '1 (Highest)' }),
  };
}
