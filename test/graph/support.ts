import tls from 'node:tls';
import { inspect } from 'node:util';
import { MonitorError } from '../../lambda/errors.ts';
import type { Tenant } from '../../lambda/config.ts';
import type { Limits } from '../../lambda/graph/patience.ts';
import type { Clock } from '../../lambda/ports.ts';
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator/server.ts';
import type { SimulatedTenant, TenantReading } from '../../simulator/tenant.ts';
import {
  VENDOR,
  type WireControlScore,
  type WireProfile,
  type WireSecureScore,
} from '../../simulator/wire.ts';

export const TENANT_ID = '0f6b1c9e-5d3a-4e0f-9a51-3f1f7d0c2a11';
export const CLIENT_ID = 'a4d2e6b0-77c1-4f3e-8c55-9be0d1f2c333';

/** Pauses in a hundredth of the time; a call may take as long as in earnest, however busy the machine is. */
export const FAST: Partial<Limits> = { backoff: 5, backoffLimit: 20 };

/** A clock that stands still at the present: no deadline comes closer because the machine is busy. */
export function stoppedClock(): Clock {
  const now = new Date();
  return { now: () => now };
}

/** n days back from 31 March 2026, newest first. */
export function datesBack(n: number): string[] {
  return Array.from({ length: n }, (_, i) => new Date(Date.UTC(2026, 2, 31 - i)).toISOString().slice(0, 10));
}

/** One control's score, as Graph sends it in the newest entry; or, degraded, in any other. */
export function wireControl(name: string, score: number, newest = true): WireControlScore {
  return {
    controlCategory: 'Identity',
    controlName: name,
    description: newest ? '<p>Why it matters.</p>' : null,
    score,
    implementationStatus: newest ? 'You have 3 of 5 users.' : 'You have 0 of 0 users.',
    scoreInPercentage: 10 * score,
    ...(newest && { lastSynced: '2026-03-30T10:00:00Z', on: 'true', count: '3', total: '5' }),
  };
}

/** An entry of two controls, 8.57 and 3 points. */
export function wireEntry(date: string, newest = true, tenantId = TENANT_ID): WireSecureScore {
  return {
    id: `${tenantId}_${date}`,
    azureTenantId: tenantId,
    activeUserCount: 5,
    createdDateTime: `${date}T00:00:00Z`,
    currentScore: 11.57,
    enabledServices: ['HasEXOP2', 'HasAADP1'],
    licensedUserCount: 0,
    maxScore: 20,
    vendorInformation: VENDOR,
    averageComparativeScores: [],
    controlScores: [wireControl('aad_mfa', 8.57, newest), wireControl('11770.MDA_x', 3, newest)],
  };
}

export function wireProfile(id: string): WireProfile {
  return {
    id,
    azureTenantId: TENANT_ID,
    actionType: 'Config',
    actionUrl: ' https://example.com/?tid=1',
    controlCategory: 'Identity',
    title: `Title of ${id}`,
    deprecated: false,
    implementationCost: 'low',
    lastModifiedDateTime: null,
    maxScore: 10,
    rank: 1,
    remediation: '<p>Do it.</p>',
    remediationImpact: 'None.',
    service: 'AzureAD',
    threats: [],
    tier: 'Core',
    userImpact: null,
    vendorInformation: VENDOR,
    complianceInformation: [],
    controlStateUpdates: [],
  };
}

/** A tenant with a score on these days (newest first) and 411 profiles: three pages. */
export function practiceTenant(dates = datesBack(90), tenantId = TENANT_ID): SimulatedTenant {
  const reading: TenantReading = {
    dates,
    secureScore: (date, complete) => wireEntry(date, complete, tenantId),
    profiles: () => Array.from({ length: 411 }, (_, i) => wireProfile(`control_${i}`)),
  };
  return { tenantId, today: dates[0] ?? '2026-03-31', advance: () => {}, read: () => reading };
}

/** A simulator that this process trusts, as NODE_EXTRA_CA_CERTS would make it. */
export async function trustedSimulator(options: SimulatorOptions): Promise<Simulator> {
  const simulator = await startSimulator(options);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), simulator.ca]);
  return simulator;
}

/** A tenant of the config that lives in the simulator. */
export function tenantAt(simulator: Pick<Simulator, 'authorityHost' | 'graphEndpoint'>): Tenant {
  const { authorityHost, graphEndpoint } = simulator;
  return {
    name: 'Contoso',
    tenantId: TENANT_ID,
    clientId: CLIENT_ID,
    cloud: { authorityHost, graphEndpoint },
    recipients: { scores: ['a@example.com'], controls: ['a@example.com'] },
    schedule: { at: '07:00', timeZone: 'UTC' },
    alerts: { confirmDrops: 0, minimumPoints: 0, mute: [] },
    tags: [],
    report: 'each',
    channels: [],
  };
}

export function inSeconds(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}

/** The MonitorError that it fails with; another outcome fails the test. */
export async function failureOf(outcome: Promise<unknown> | (() => unknown)): Promise<MonitorError> {
  try {
    await (typeof outcome === 'function' ? outcome() : outcome);
  } catch (error) {
    if (error instanceof MonitorError) return error;
    throw error;
  }
  throw new Error('it succeeded, and was meant to fail');
}

/** Everything that any logger could find in an error: hidden properties, causes, stacks. */
export function everythingIn(error: Error): string {
  const texts = [inspect(error, { depth: 20, showHidden: true, getters: true }), JSON.stringify(error)];
  for (let link: unknown = error; link instanceof Error; link = link.cause) {
    texts.push(link.message, link.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(link)));
  }
  return texts.join('\n');
}
