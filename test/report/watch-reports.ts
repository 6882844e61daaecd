import type { OverdueTenant, WatchItem, WatchReport } from '../../lambda/report/watch.ts';

/** Mails to operations about a whole deployment, for the gallery: those of the watch and of the renewal of certificates. */

const overdue = (name: string, fields: Partial<OverdueTenant> = {}): OverdueTenant => ({
  tenant: '3f1b2c4d-0000-4000-8000-00000000c0de',
  name,
  lastRun: '2026-03-08T07:00:12.000Z',
  failing: null,
  damaged: false,
  ...fields,
});

const report = (...items: WatchItem[]): WatchReport => ({
  deployment: 'SecureScoreMonitor',
  toldAt: '2026-03-10T14:00:00.000Z',
  items,
});

const ENDS: WatchItem & { kind: 'certificate' } = {
  kind: 'certificate',
  until: '2026-04-09T12:00:00.000Z',
  daysLeft: 29,
  names: ['Contoso', 'Fabrikam'],
  renews: false,
};

const BLOCKED: WatchItem & { kind: 'renewal' } = {
  kind: 'renewal',
  until: '2026-04-09T12:00:00.000Z',
  daysLeft: 29,
  names: ['Contoso', 'Fabrikam', 'Tailspin Toys'],
  obstacles: [
    {
      tenants: ['Fabrikam'],
      message:
        'An app management policy of the tenant 0f0f0f0f-1111-4222-8333-444444444444 forbids the certificate: addKey of the app 6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40: 403, CredentialTypeNotAllowedAsPerAppPolicy: Credential type not allowed as per assigned policy.',
      advice:
        'Ask an admin of that tenant for an exemption of this app (Entra admin center, Enterprise applications, Application policies), or for a longer lifetime. Until then renew by hand: ./secure-score certificate create, upload its public part to the app registration, ./secure-score certificate put.',
    },
  ],
  leftOver: [],
};

const LEFT_OVER: WatchItem = {
  ...BLOCKED,
  obstacles: [],
  leftOver: [
    {
      clientId: '6f1d3a52-97b1-4c0b-8a3e-2f5d1c7e9b40',
      thumbprint: '0F3A9C51B07BE2D4C8A61E5F7D20394B8C6E1A5F',
      notAfter: '2026-04-09T12:00:00.000Z',
    },
  ],
};

const STOPPED: WatchItem = {
  kind: 'overdue',
  tenants: [
    overdue('Contoso'),
    overdue('Fabrikam', {
      lastRun: null,
      failing: { since: '2026-03-07T07:00:00.000Z', codes: ['certificate-expired'] },
    }),
  ],
  already: [overdue('Northwind')],
};

const DIGESTS: WatchItem = {
  kind: 'digests',
  digests: [{ name: 'daily', lastRun: '2026-03-07T07:00:12.000Z' }],
};

const DAMAGED: WatchItem = {
  kind: 'evidence',
  tenants: [
    {
      name: 'Contoso',
      objects: [
        {
          key: 'snapshots/tenant=3f1b2c4d-0000-4000-8000-00000000c0de/date=2026-02-03/9f86d081884c7d65.json.gz',
          why: 'entry 12 of the ledger lists it, but it is not there',
        },
      ],
    },
  ],
};

export const watchReports: Record<string, WatchReport> = {
  'watch-overdue': report(STOPPED),
  'watch-digest': report(DIGESTS),
  'watch-certificate': report(ENDS),
  'watch-certificate-late': report({ ...ENDS, daysLeft: 6, renews: true }),
  'watch-certificate-expired': report({ ...ENDS, daysLeft: -2, renews: null }),
  'watch-evidence': report(DAMAGED),
  'watch-everything': report(STOPPED, ENDS, DAMAGED),
  'renewal-blocked': report(BLOCKED),
  'renewal-expired': report({ ...BLOCKED, daysLeft: -1 }),
  'renewal-left-over': report(LEFT_OVER),
};
