import { effortOf } from '../report/build.ts';
import type { Gap, Outlook } from '../report/digest-model.ts';
import { line, safeLink } from '../report/plain-text.ts';
import { stateInForce } from '../score/decision.ts';
import { maximumOf } from '../score/maximum.ts';
import type { Profiles, Snapshot } from '../score/snapshot.ts';

/** The outlook of a monthly digest: decisions in force, and the points that can be gained. Pure. */

const LISTED = 10;
const TITLE_LENGTH = 300;

/** The outlook of one tenant. */
export interface TenantOutlook {
  gaps: Omit<Gap, 'tenants'>[];
  decisions: { control: string; title: string; state: string }[];
}

export function tenantOutlook(newest: Snapshot, profiles: Profiles): TenantOutlook {
  const outlook: TenantOutlook = { gaps: [], decisions: [] };
  for (const control of newest.controls.values()) {
    const profile = profiles.get(control.name);
    const title = line(profile?.title ?? control.name, TITLE_LENGTH);
    const state = stateInForce(control, profile);
    if (state !== null) outlook.decisions.push({ control: control.name, title, state: line(state, 80) });
    const maximum = maximumOf(control, profile);
    if (maximum === null || maximum <= control.points || newest.maximum <= 0) continue;
    outlook.gaps.push({
      control: control.name,
      title,
      category: control.category,
      implementationCost: profile?.implementationCost ?? null,
      userImpact: profile?.userImpact ?? null,
      percentagePoints: (100 * (maximum - control.points)) / newest.maximum,
      actionUrl: safeLink(profile?.actionUrl ?? null),
    });
  }
  return outlook;
}

/** @param missing the number of tenants whose outlook is unknown */
export function fleetOutlook(tenants: TenantOutlook[], missing: number): Outlook {
  const gaps = Map.groupBy(
    tenants.flatMap((tenant) => tenant.gaps),
    ({ control }) => control,
  );
  const decisions = tenants.flatMap((tenant) => tenant.decisions);
  return {
    gaps: [...gaps.values()]
      .map((group) => ({
        ...group[0]!,
        // A link contains a tenant's id, so several tenants have no common one.
        actionUrl: group.length === 1 ? group[0]!.actionUrl : null,
        tenants: group.length,
        percentagePoints: group.reduce((sum, { percentagePoints }) => sum + percentagePoints, 0),
      }))
      .toSorted((a, b) => worth(b) - worth(a) || (a.control < b.control ? -1 : 1))
      .slice(0, LISTED),
    decisions: [...Map.groupBy(decisions, ({ control, state }) => JSON.stringify([control, state])).values()]
      .map((group) => ({ ...group[0]!, tenants: group.length }))
      .toSorted((a, b) => b.tenants - a.tenants || (a.control < b.control ? -1 : 1))
      .slice(0, LISTED),
    decisionsInForce: decisions.length,
    missing,
  };
}

function worth({ percentagePoints, implementationCost }: Omit<Gap, 'tenants'>): number {
  return percentagePoints / effortOf(implementationCost);
}
