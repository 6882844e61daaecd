import { expect, it, describe } from 'vitest';
import { logMetrics } from '../../lambda/metrics.ts';
import { DEPLOYMENT_METRICS, DIMENSIONS, METRIC_UNITS, NAMESPACE } from '../../lambda/metric-names.ts';
import { monitor } from '../../lambda/monitor.ts';
import type { Metrics } from '../../lambda/ports.ts';
import { ClaimedError, type Run } from '../../lambda/run/run.ts';
import { published } from '../../lambda/run/publish.ts';
import { MonitorError } from '../../lambda/errors.ts';
import { watch } from '../../lambda/watch/watch.ts';
import { logOf } from './capture.ts';
import { fillDays, TENANT_ID, world } from './fakes.ts';

/** A line in the embedded metric format, and what CloudWatch makes of it. */
interface Emf {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: string; Unit: string }[];
    }[];
  };
  [key: string]: unknown;
}

interface Metric {
  namespace: string;
  name: string;
  unit: string;
  dimensions: Record<string, unknown>;
  value: unknown;
}

/** Reads a line as CloudWatch does. */
function metricsOf(line: Record<string, unknown>): Metric[] {
  if (!('_aws' in line)) return [];
  const emf = line as Emf;
  const { _aws: aws } = emf;
  return aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics: metrics }) =>
    Dimensions.flatMap((set) =>
      metrics.map(({ Name, Unit }) => ({
        namespace: Namespace,
        name: Name,
        unit: Unit,
        dimensions: Object.fromEntries(set.map((name) => [name, emf[name]])),
        value: emf[Name],
      })),
    ),
  );
}

/** Every metric that real runs and a real watch write into the log. */
async function everything(): Promise<Metric[]> {
  const { runOf, graph, logged, mailer } = world('2026-03-01T07:00:00Z');
  fillDays(graph, '2026-02-20', 10, { controls: { mfa: 8 } });
  const { log } = runOf().ports;
  const withMetrics = (run: Run): Run => ({
    ...run,
    ports: { ...run.ports, metrics: logMetrics({ deployment: 'deployed', log }) },
  });
  const lines = await logOf(async () => {
    await monitor(withMetrics(runOf()));
    const run = withMetrics(runOf());
    const since = new Date('2026-01-01');
    const schedules = {
      list: async () => [{ tenantId: TENANT_ID, enabled: true, since }],
      digests: async () => [],
    };
    const { deadline } = run.ports.invocation;
    const ports = { ...run.ports, mailer, schedules };
    await watch({ deployment: 'deployed', sender: run.sender, ports, deadline });
  });
  expect(logged.filter(({ level }) => level !== 'info')).toEqual([]);
  return lines.flatMap(metricsOf);
}

describe('a line of the log', () => {
  it('is every metric that has a name, in its unit, under its namespace and dimensions', async () => {
    const metrics = await everything();
    const ofDeployment = Object.values(DEPLOYMENT_METRICS);
    expect(ofDeployment.length).toBeGreaterThan(7);

    for (const name of ofDeployment) {
      const found = metrics.filter((metric) => metric.name === name);
      expect({ name, found: found.length }).not.toEqual({ name, found: 0 });
      for (const metric of found) {
        expect(metric).toEqual({
          namespace: NAMESPACE,
          name,
          unit: METRIC_UNITS[name],
          dimensions: { [DIMENSIONS.deployment]: 'deployed' },
          value: expect.any(Number),
        });
      }
    }
    // And nothing else: an alarm or a graph can rely on the list.
    expect(new Set(metrics.map(({ name }) => name))).toEqual(new Set(ofDeployment));
  });

  it('says when, in milliseconds', async () => {
    const { log } = world('2026-03-01T07:00:00Z').run.ports;
    const before = Date.now();
    const [line] = await logOf(() => logMetrics({ deployment: 'd', log }).publish({ RunsFailed: 1 }));
    const { _aws: aws } = line as Emf;
    expect(aws.Timestamp).toBeGreaterThanOrEqual(before);
    expect(line).toMatchObject({ Deployment: 'd', RunsFailed: 1 });
  });

  it('is missing, with a warning, if it could not be written, and nothing is thrown', async () => {
    const { run, logged } = world('2026-03-01T07:00:00Z');
    const metrics = logMetrics({ deployment: 'd', log: run.ports.log });
    const wrong = { RunsFailed: 'one' } as unknown as Parameters<Metrics['publish']>[0];
    expect(await logOf(() => metrics.publish(wrong))).toEqual([]);
    expect(logged).toMatchObject([{ level: 'warn', message: 'metrics could not be published' }]);
    const [line] = await logOf(() => metrics.publish({ RunsFailed: 1 }));
    expect(metricsOf(line!)).toMatchObject([{ name: 'RunsFailed', dimensions: { Deployment: 'd' } }]);
  });
});

describe('a run', () => {
  it('that succeeds counts itself and its mails', async () => {
    const { runOf, graph, metrics } = world('2026-03-01T07:00:00Z');
    fillDays(graph, '2026-02-20', 10, { controls: { mfa: 8, phish: 2 } });
    await monitor(runOf());
    expect(metrics.published).toEqual([
      { RunsSucceeded: 1, RunsFailed: 0, MailsSent: 1, ColumnsFailed: 0, DeliveriesDropped: 0 },
    ]);
  });

  it('that fails counts itself, and the mail about it', async () => {
    const { runOf, graph, metrics } = world('2026-03-01T07:00:00Z');
    graph.failure = new MonitorError('app-unknown', 'No such app.', 'Make one.');
    await expect(monitor(runOf())).rejects.toThrow('No such app.');
    expect(metrics.published).toEqual([{ RunsSucceeded: 0, RunsFailed: 1, MailsSent: 1 }]);
  });

  it('that finds another at work counts neither way, because the other one does', async () => {
    const { runOf, metrics } = world('2026-03-01T07:00:00Z');
    const claimed = async () => {
      throw new ClaimedError('this tenant', '2026-03-01T07:01:00Z', null);
    };
    await expect(published(runOf(), claimed)).rejects.toThrow('Another run');
    expect(metrics.published).toEqual([{ RunsSucceeded: 0, RunsFailed: 0, MailsSent: 0 }]);
  });
});
