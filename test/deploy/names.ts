import path from 'node:path';

/** Who and what the deployed configs name. */
export const CLIENT_ID = '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40';
export const OBJECT_ID = '0b1ec700-2222-4222-8222-0000000000aa';
export const FABRIKAM_ID = '0f0f0f0f-1111-4222-8333-444444444444';
export const SECOPS = 'secops@contoso.com';
export const ONCALL = 'oncall@contoso.com';

/** What a function imports first so that its clock is ahead. */
export const CLOCK_AHEAD = path.join(import.meta.dirname, '../clock-ahead.ts');
