// One side of the comparison, in a process of its own: passes a number of records on request, and answers with the CPU seconds that took.
import { defaultMonitor, Monitor } from 'rxflume';
import { metricsHandler, statusOf } from 'rxflume/metrics';
import { pass } from '../guard/path.js';
import { withoutMetrics } from './without-metrics.js';

/** What a fast flow reads in a second. Not counted by a clock: a process that is not given the CPU would read for its wait. */
const RECORDS_A_READING = 1_000_000;

const isMeasured = process.argv[2] === 'on';
const monitor = isMeasured ? defaultMonitor : new Monitor();
const handle = metricsHandler({ monitor });
if (!isMeasured) withoutMetrics();
let unread = 0;

process.on('message', (records: number) => {
  cpuOf(records).then(
    (seconds) => process.send?.(seconds),
    () => process.exit(1),
  );
});
process.send?.('ready');

async function cpuOf(records: number): Promise<number> {
  const before = process.cpuUsage();
  await pass(records, monitor);
  unread += records;
  if (isMeasured && unread >= RECORDS_A_READING) {
    unread -= RECORDS_A_READING;
    read();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** What `rxflume run --metrics` does in a second, under a Prometheus that scrapes each second; a usual one does a fifteenth of it. */
function read(): void {
  handle(new Request('http://localhost/metrics'));
  handle(new Request('http://localhost/readyz'));
  statusOf(monitor);
}
