/** For those who put the monitor into a CDK app of their own. */
// oxlint-disable-next-line import/no-unassigned-import -- it refuses an older Node before anything else is loaded
import './require-node.ts';
export { defineConfig, tenantsFrom, type Config, type ConfigInput } from '../lambda/config.ts';
export { HISTORY_OUTPUTS, historyStackOf, OUTPUTS } from '../lambda/outputs.ts';
export { Alarms } from './alarms.ts';
export { Archive, type ArchiveProps } from './archive.ts';
export { Certificate } from './certificate.ts';
export { MonitorDashboard } from './dashboard.ts';
export { SecureScoreHistoryStack, type SecureScoreHistoryStackProps } from './history-stack.ts';
export { History, type HistoryProps } from './history.ts';
export { Mail } from './mail.ts';
export { Operations } from './operations.ts';
export { Schedules } from './schedules.ts';
export { SecureScoreMonitor, type SecureScoreMonitorProps } from './secure-score-monitor.ts';
export { SecureScoreMonitorStack } from './stack.ts';
