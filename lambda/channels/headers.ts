import type { Mail } from '../ports.ts';

/** The headers that we add to a mail. */
export function headersOf({ urgent = false }: Mail): Record<string, string> {
  return {
    // RFC 3834: keeps out-of-office replies from answering.
    'Auto-Submitted': 'auto-generated',
    // Outlook reads the first one (RFC 4021), most other programs the second.
    ...(urgent && { Importance: 'high', 'X-Priority': '1 (Highest)' }),
  };
}
