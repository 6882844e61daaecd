import { GetScheduleCommand, paginateListSchedules, SchedulerClient } from '@aws-sdk/client-scheduler';
import { inParallel } from './archive/columns/parallel.ts';
import type { Tenant } from './config.ts';
import { DIGEST_PREFIX, environment, SCHEDULE_PREFIX } from './environment.ts';
import { MonitorError } from './errors.ts';
import { parseEvent } from './event.ts';
import { passes } from './passing.ts';
import type { DigestSchedule, Schedules } from './ports.ts';
import { proxyAgents } from './proxy.ts';

/** The maximum size of a page: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html */
const PAGE = 100;

const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The schedules in a group of EventBridge Scheduler, which are named `tenant-<guid>` and `digest-<name>`. Needs
 * scheduler:ListSchedules.
 */
export function schedulesOf({
  group,
  client = new SchedulerClient({ requestHandler: proxyAgents() }),
}: {
  group: string | undefined;
  client?: SchedulerClient;
}): Schedules {
  const named = async (prefix: string): Promise<DigestSchedule[]> => {
    if (group === undefined) {
      throw new MonitorError(
        'environment-invalid',
        `The watch needs ${environment.scheduleGroup}, and it is not set.`,
        'Deploy again: the deployment sets this variable.',
      );
    }
    const schedules: DigestSchedule[] = [];
    try {
      const query = { GroupName: group, NamePrefix: prefix };
      for await (const page of paginateListSchedules({ client, pageSize: PAGE }, query)) {
        for (const { Name = '', State, CreationDate, LastModificationDate } of page.Schedules ?? []) {
          // Without a date it is as old as can be: a report too early is better than none.
          const since = LastModificationDate ?? CreationDate ?? new Date(0);
          schedules.push({ name: Name.slice(prefix.length), enabled: State !== 'DISABLED', since });
        }
      }
    } catch (error) {
      throw explain(error, group);
    }
    return schedules;
  };
  return {
    async list() {
      const schedules = await named(SCHEDULE_PREFIX);
      return schedules
        .filter(({ name }) => TENANT_ID.test(name))
        .map(({ name, ...schedule }) => ({ tenantId: name, ...schedule }));
    },
    digests: () => named(DIGEST_PREFIX),
  };
}

/**
 * The tenants of all schedules of a group, including disabled ones, because they may sign in again some day. Needs
 * scheduler:GetSchedule as well. If one tenant cannot be read, the call fails, because a tenant that is left out might be
 * locked out.
 */
export async function scheduledTenants({
  group,
  client = new SchedulerClient({ requestHandler: proxyAgents() }),
}: {
  group: string | undefined;
  client?: SchedulerClient;
}): Promise<Tenant[]> {
  const schedules = await schedulesOf({ group, client }).list();
  return inParallel(schedules, async ({ tenantId }) => {
    const Name = `${SCHEDULE_PREFIX}${tenantId}`;
    const { Target } = await client
      .send(new GetScheduleCommand({ GroupName: group, Name }))
      .catch((error) => {
        throw explain(error, group ?? '');
      });
    const event = parseEvent(JSON.parse(Target?.Input ?? 'null'));
    if ('tenant' in event) return event.tenant;
    throw new MonitorError(
      'schedules-failed',
      `The schedule ${Name} of the group ${group} belongs to no tenant.`,
      'Deploy again: the deployment writes the schedules.',
    );
  });
}

function explain(error: unknown, group: string): MonitorError {
  const { name, message } = error instanceof Error ? error : { name: 'unknown', message: String(error) };
  const detail = `The schedules of the group ${group} could not be read: ${name}: ${message}`;
  switch (name) {
    case 'ResourceNotFoundException':
      return new MonitorError(
        'schedules-missing',
        detail,
        'Deploy again: the deployment creates the group and its schedules.',
        { cause: error },
      );
    case 'AccessDeniedException':
      return new MonitorError(
        'schedules-denied',
        detail,
        'Deploy again: the deployment allows the function what it needs (scheduler:ListSchedules; for renewals scheduler:GetSchedule).',
        { cause: error },
      );
    default:
      return new MonitorError(
        'schedules-failed',
        detail,
        passes(error)
          ? 'Nothing has to be done: the next attempt tries again. If it lasts, check the health of EventBridge Scheduler in this region.'
          : 'Act on what EventBridge Scheduler says. If it blames the request, deploy again.',
        { retryable: passes(error), cause: error },
      );
  }
}
