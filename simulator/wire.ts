/**
 * What Graph sends, in the order of its keys. Dates yyyy-mm-dd, points with up to 2 decimals, texts in HTML.
 * https://learn.microsoft.com/en-us/graph/api/resources/securescore
 */
export interface WireSecureScore {
  /** `<tenant>_<date>`. */
  id: string;
  azureTenantId: string;
  activeUserCount: number;
  /** Midnight UTC of the date. */
  createdDateTime: string;
  currentScore: number;
  enabledServices: string[];
  licensedUserCount: number;
  maxScore: number;
  vendorInformation: WireVendor;
  averageComparativeScores: Record<string, string | number>[];
  controlScores: WireControlScore[];
}

export interface WireControlScore {
  controlCategory: string;
  controlName: string;
  /** Null in all entries but the newest. */
  description: string | null;
  score: number;
  implementationStatus: string;
  /** 0 to 100, up to 2 decimals: made of the rounded points. */
  scoreInPercentage: number;
  /** Only the newest entry has these five. */
  lastSynced?: string;
  on?: 'true' | 'false';
  /** Those that meet the control; of Device controls those that are exposed. May be there without a total. */
  count?: string;
  total?: string;
  /** For Device controls: "default", or an exception that was made in Defender and is not in the profile. */
  state?: string;
}

export interface WireProfile {
  id: string;
  azureTenantId: string;
  actionType: string;
  actionUrl: string;
  controlCategory: string;
  title: string;
  deprecated: boolean;
  implementationCost: string | null;
  lastModifiedDateTime: string | null;
  maxScore: number;
  rank: number;
  remediation: string;
  remediationImpact: string;
  service: string;
  threats: string[];
  tier: string;
  userImpact: string | null;
  vendorInformation: WireVendor;
  complianceInformation: unknown[];
  /** In the order in which they were made; the first is the default. */
  controlStateUpdates: WireStateUpdate[];
}

export interface WireStateUpdate {
  assignedTo: string | null;
  comment: string | null;
  /** Default, Ignored, ThirdParty, Reviewed. */
  state: string;
  updatedBy: string | null;
  updatedDateTime: string | null;
}

export interface WireVendor {
  provider: string;
  providerVersion: string | null;
  subProvider: string | null;
  vendor: string;
}

export const VENDOR: WireVendor = {
  provider: 'SecureScore',
  providerVersion: null,
  subProvider: null,
  vendor: 'Microsoft',
};

export const DEFAULT_STATE: WireStateUpdate = {
  assignedTo: null,
  comment: null,
  state: 'Default',
  updatedBy: null,
  updatedDateTime: null,
};

/** Made of rounded points: 1.87 of 7 is 26.71, whatever share it was. */
export function percentageOf(points: number, maximum: number): number {
  return maximum > 0 ? round2((100 * points) / maximum) : 0;
}

/** To 2 decimals, half away from zero, as Graph's numbers are. */
export function round2(value: number): number {
  return Math.round((value + Number.EPSILON) * 100) / 100;
}
