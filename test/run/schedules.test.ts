import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lambda/config.ts';
import { scheduledTenants, schedulesOf } from '../../lambda/schedules.ts';

const id = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const CREATED = new Date('2026-01-01T00:00:00Z');
const MODIFIED = new Date('2026-02-01T00:00:00Z');

function scheduler() {
  const client = new SchedulerClient({ region: 'eu-central-1' });
  return { mock: mockClient(client), schedules: schedulesOf({ group: 'deployed', client }) };
}

describe('the schedules of a deployment', () => {
  it('are all those of its group, page after page', async () => {
    const { mock, schedules } = scheduler();
    mock
      .on(ListSchedulesCommand, { NextToken: undefined })
      .resolves({
        Schedules: [{ Name: `tenant-${id(1)}`, State: 'ENABLED', CreationDate: CREATED }],
        NextToken: 'more',
      })
      .on(ListSchedulesCommand, { NextToken: 'more' })
      .resolves({
        Schedules: [
          {
            Name: `tenant-${id(2)}`,
            State: 'DISABLED',
            CreationDate: CREATED,
            LastModificationDate: MODIFIED,
          },
        ],
      });
    expect(await schedules.list()).toEqual([
      { tenantId: id(1), enabled: true, since: CREATED },
      { tenantId: id(2), enabled: false, since: MODIFIED },
    ]);
    expect(mock.commandCalls(ListSchedulesCommand)[0]!.args[0].input).toMatchObject({
      GroupName: 'deployed',
      NamePrefix: 'tenant-',
      MaxResults: 100,
    });
  });

  it('are those named for a tenant', async () => {
    const { mock, schedules } = scheduler();
    mock.on(ListSchedulesCommand).resolves({
      Schedules: [{ Name: 'tenant-of-a-house' }, { Name: `tenant-${id(3)}` }, { Name: undefined }],
    });
    // One without a date is as old as can be.
    expect(await schedules.list()).toEqual([{ tenantId: id(3), enabled: true, since: new Date(0) }]);
  });

  it('are those named for a digest', async () => {
    const { mock, schedules } = scheduler();
    mock.on(ListSchedulesCommand).resolves({
      Schedules: [{ Name: 'digest-daily', State: 'ENABLED', CreationDate: CREATED }],
    });
    expect(await schedules.digests()).toEqual([{ name: 'daily', enabled: true, since: CREATED }]);
    expect(mock.commandCalls(ListSchedulesCommand)[0]!.args[0].input).toMatchObject({
      NamePrefix: 'digest-',
    });
  });

  it.each<[string, string, boolean, number?]>([
    ['ResourceNotFoundException', 'schedules-missing', false],
    ['AccessDeniedException', 'schedules-denied', false],
    ['InternalServerException', 'schedules-failed', true, 500],
    ['ThrottlingException', 'schedules-failed', true, 429],
    ['ValidationException', 'schedules-failed', false, 400],
    ['TimeoutError', 'schedules-failed', true],
  ])('%s is %s', async (name, code, retryable, httpStatusCode) => {
    const { mock, schedules } = scheduler();
    mock
      .on(ListSchedulesCommand)
      .rejects(Object.assign(new Error('said so'), { name, $metadata: { httpStatusCode } }));
    await expect(schedules.list()).rejects.toMatchObject({
      code,
      retryable,
      message: expect.stringContaining('deployed'),
    });
  });

  it('cannot be read if the deployment has set no group', async () => {
    await expect(schedulesOf({ group: undefined }).list()).rejects.toMatchObject({
      code: 'environment-invalid',
      message: expect.stringContaining('SCHEDULE_GROUP'),
    });
  });
});

describe('the tenants of the schedules', () => {
  const { tenants } = parseConfig(
    {
      tenants: [1, 2].map((index) => ({
        name: `Tenant ${index}`,
        tenantId: id(index),
        clientId: id(9),
        recipients: ['secops@contoso.com'],
      })),
      operations: ['oncall@contoso.com'],
      mail: { from: 'secure-score@contoso.com' },
    },
    'the test',
  );

  function deployed() {
    const client = new SchedulerClient({ region: 'eu-central-1' });
    const mock = mockClient(client);
    const states = ['ENABLED', 'DISABLED'] as const;
    mock.on(ListSchedulesCommand).resolves({
      Schedules: states.map((State, index) => ({ Name: `tenant-${id(index + 1)}`, State })),
    });
    for (const tenant of tenants) {
      mock
        .on(GetScheduleCommand, { GroupName: 'deployed', Name: `tenant-${tenant.tenantId}` })
        .resolves({ Target: { Arn: 'a', RoleArn: 'r', Input: JSON.stringify({ tenant }) } });
    }
    return { mock, read: () => scheduledTenants({ group: 'deployed', client }) };
  }

  it('are all of them as they were deployed, those that are switched off too', async () => {
    expect(await deployed().read()).toEqual(tenants);
  });

  it.each([
    ['cannot be read', new Error('no'), 'schedules-failed', true],
    [
      'may not be read',
      Object.assign(new Error('no'), { name: 'AccessDeniedException' }),
      'schedules-denied',
      false,
    ],
  ])(
    'fail completely if one %s, because a tenant that is left out might be locked out',
    async (_, error, code, retryable) => {
      const { mock, read } = deployed();
      mock.on(GetScheduleCommand, { GroupName: 'deployed', Name: `tenant-${id(2)}` }).rejects(error);
      await expect(read()).rejects.toMatchObject({ code, retryable });
    },
  );

  it.each([
    ['belongs to no tenant', '{"watch":true}', 'schedules-failed'],
    ['holds no tenant as the config has them', '{"tenant":{}}', 'event-invalid'],
  ])('fail if one %s', async (_, Input, code) => {
    const { mock, read } = deployed();
    mock.on(GetScheduleCommand).resolves({ Target: { Arn: 'a', RoleArn: 'r', Input } });
    await expect(read()).rejects.toMatchObject({ code, advice: expect.stringContaining('Deploy again') });
  });
});
