import { defineConfig } from 'secure-score-monitor';

// Copy this file to monitor.config.ts and fill it in.
export default defineConfig({
  tenants: [
    {
      // Shown to people; unique.
      name: 'Contoso',
      // From the app registration's overview in the Entra admin centre.
      tenantId: '00000000-0000-0000-0000-000000000000',
      clientId: '00000000-0000-0000-0000-000000000000',
      // 'global' (GCC too), 'usgov' (GCC High), 'dod', or { authorityHost, graphEndpoint }.
      cloud: 'global',
      // Who is told; or { scores: [...], controls: [...] } to split the two kinds of mail.
      recipients: ['secops@contoso.com'],
    },
  ],
  // Who looks after the monitor: mails about stale scores, suspect answers and failing runs.
  operations: ['oncall@contoso.com'],
  mail: { from: 'Secure Score <secure-score@contoso.com>' },
});
