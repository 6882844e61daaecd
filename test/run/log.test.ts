import { afterEach, describe, expect, it, vi } from 'vitest';
import { MonitorError } from '../../lambda/errors.ts';
import { functionLog } from '../../lambda/log.ts';
import { logOf } from './capture.ts';

const context = (awsRequestId: string) => ({ awsRequestId, functionName: 'monitor', memoryLimitInMB: '512' });

afterEach(() => vi.unstubAllEnvs());

describe('the log of the function', () => {
  it('is JSON: level, message and facts, with deployment, invocation and tenant', async () => {
    const log = functionLog('deployed');
    const lines = await logOf(() =>
      log.invocation(context('request-1'), async () => {
        log.about({ tenant: 'guid', name: 'Contoso' });
        log.info('hello', { days: 3 });
        log.warn('hm', { date: '2026-03-01' });
        log.error('no');
      }),
    );
    const always = {
      service: 'deployed',
      function_request_id: 'request-1',
      function_name: 'monitor',
      tenant: 'guid',
      name: 'Contoso',
      timestamp: expect.stringMatching(/^\d{4}-/),
    };
    expect(lines).toEqual([
      expect.objectContaining({ ...always, level: 'INFO', message: 'hello', days: 3 }),
      expect.objectContaining({ ...always, level: 'WARN', message: 'hm', date: '2026-03-01' }),
      expect.objectContaining({ ...always, level: 'ERROR', message: 'no' }),
    ]);
  });

  it('forgets one invocation before the next, and distinguishes the first one of a process', async () => {
    vi.stubEnv('AWS_LAMBDA_INITIALIZATION_TYPE', 'on-demand');
    const log = functionLog('deployed');
    const lines = await logOf(async () => {
      await log.invocation(context('request-1'), async () => {
        log.about({ tenant: 'guid' });
        log.info('one');
      });
      await log.invocation(context('request-2'), async () => log.info('two'));
    });
    expect(lines).toMatchObject([
      { message: 'one', function_request_id: 'request-1', tenant: 'guid', cold_start: true },
      { message: 'two', function_request_id: 'request-2', cold_start: false },
    ]);
    expect(lines[1]).not.toHaveProperty('tenant');
  });

  it('says what failed and what to do, and throws it on; never a cause, which may hold anything', async () => {
    const log = functionLog('deployed');
    const cause = new Error('Authorization: Bearer eyJhbGciOi');
    const error = new MonitorError('app-unknown', 'No such app.', 'Make one.', { cause });
    const lines = await logOf(() =>
      expect(
        log.invocation(context('request-1'), async () => {
          throw error;
        }),
      ).rejects.toBe(error),
    );
    expect(lines).toMatchObject([
      {
        level: 'ERROR',
        message: 'the invocation failed',
        code: 'app-unknown',
        error: 'No such app.',
        advice: 'Make one.',
        retryable: false,
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('Bearer');
  });

  it('leaves defects to Lambda, which logs them with their stack', async () => {
    const log = functionLog('deployed');
    const lines = await logOf(() =>
      expect(
        log.invocation(context('request-1'), async () => {
          throw new TypeError('x is not a function');
        }),
      ).rejects.toThrow('x is not a function'),
    );
    expect(lines).toEqual([]);
  });
});
