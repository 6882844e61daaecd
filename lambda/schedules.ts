import { paginateListSchedules, SchedulerClient } from '@aws-sdk/client-scheduler';
import { environment, SCHEDULE_PREFIX } from './environment.ts';
import { MonitorError } from './errors.ts';
import { passes } from './passing.ts';
import type { Schedule, Schedules } from './ports.ts';
import { proxyAgents } from './proxy.ts';

/** A page; the most that there is: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html */
const PAGE = 100;

const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The tenants' schedules in a group of EventBridge Scheduler, which are named `tenant-<guid>`. Needs
 * scheduler:ListSchedules.
 */
export function schedulesOf({
  group,
  client = new SchedulerClient({ requestHandler: proxyAgents() }),
}: {
  group: string | undefined;
  client?: SchedulerClient;
}): Schedules {
  return {
    async list() {
      if (group === undefined) {
        throw new MonitorError(
          'environment-invalid',
          `The watch needs ${environment.scheduleGroup}, and it is not set.`,
          'Deploy again: the deployment sets this variable.',
        );
      }
      const schedules: Schedule[] = [];
      try {
        const query = { GroupName: group, NamePrefix: SCHEDULE_PREFIX };
        for await (const page of paginateListSchedules({ client, pageSize: PAGE }, query)) {
          for (const { Name = '', State, CreationDate, LastModificationDate } of page.Schedules ?? []) {
            const tenantId = Name.slice(SCHEDULE_PREFIX.length);
            if (!TENANT_ID.test(tenantId)) continue;
            // Without a date it is as old as can be: rather told too early than never.
            const since = LastModificationDate ?? CreationDate ?? new Date(0);
            schedules.push({ tenantId, enabled: State !== 'DISABLED', since });
          }
        }
      } catch (error) {
        throw explain(error, group);
      }
      return schedules;
    },
  };
}

function explain(error: unknown, group: string): MonitorError {
  const { name, message } = error instanceof Error ? error : { name: 'unknown', message: String(error) };
  const said = `The schedules of the group ${group} could not be listed: ${name}: ${message}`;
  switch (name) {
    case 'ResourceNotFoundException':
      return new MonitorError(
        'schedules-missing',
        said,
        'Deploy again: the deployment creates the group and its schedules.',
        { cause: error },
      );
    case 'AccessDeniedException':
      return new MonitorError(
        'schedules-denied',
        said,
        'Allow scheduler:ListSchedules to the function: deploy again.',
        { cause: error },
      );
    default:
      return new MonitorError(
        'schedules-failed',
        said,
        passes(error)
          ? 'Nothing: it is tried again. If it lasts, look at the health of EventBridge Scheduler in this region.'
          : 'Act on what EventBridge Scheduler says. If it blames the request, deploy again.',
        { retryable: passes(error), cause: error },
      );
  }
}
