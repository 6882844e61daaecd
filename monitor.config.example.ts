import { defineConfig } from 'secure-score-monitor';

// Copy this file to monitor.config.ts and fill it in. docs/configuration.md explains every field.
export default defineConfig({
  // Many tenants stand in a file: tenants: tenantsFrom('tenants.csv'), which docs/onboarding.md explains.
  tenants: [
    {
      // Shown to people; unique.
      name: 'Contoso',
      // From the app registration's overview in the Entra admin centre. These zeros are refused: put your own ids here.
      tenantId: '00000000-0000-0000-0000-000000000000',
      clientId: '00000000-0000-0000-0000-000000000000',
      // "Object ID" on the same overview: with it, the certificate renews itself.
      // objectId: '00000000-0000-0000-0000-000000000000',
      // 'global' (GCC too), 'usgov' (GCC High), 'dod', or { authorityHost, graphEndpoint }.
      cloud: 'global',
      // Who gets the mails: addresses, each alone or with a name; or { scores: [...], controls: [...] } to split them.
      recipients: ['SecOps <secops@contoso.com>'],
      // What differs from the deployment's settings, for this tenant alone:
      // schedule: { at: '08:00' },
      // alerts: { confirmDrops: 2 },
    },
  ],

  // Who looks after the monitor: alarms, and mails about stale scores, suspect answers and failing runs.
  operations: ['oncall@contoso.com'],

  mail: {
    from: 'Secure Score <secure-score@contoso.com>',
    // What the deployment creates in SES: 'existing' (nothing, because the sender is verified there already),
    // 'address' (the sender, who gets a mail to confirm), or 'domain' (its domain; it prints the DNS records).
    identity: 'address',
  },

  // When the score is read, once a day; the zone is a name like Europe/Budapest.
  schedule: { at: '07:00', timeZone: 'UTC' },

  // A drop is mailed at once (0), or if it still stands this many snapshots later. Changes of fewer points are not mailed.
  alerts: { confirmDrops: 0, minimumPoints: 0 },

  // Where reports go beside mail: docs/channels.md explains how to make each. Their addresses are secrets, put there with
  // "./secure-score channel put soc".
  // channels: [{ name: 'soc', type: 'teams', url: { secret: 'secure-score/soc' } }],

  // To take up the bucket that an earlier deployment left:
  // archive: { bucket: 'secure-score-archive-contoso' },
});
