// One process of the group: records into files of a local folder, exactly once; a line for each record read, with its time.
import { appendFileSync } from 'node:fs';
import { fileSink, kafkaSource, Monitor, text } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
import type { GroupProtocol } from 'rxflume/ports';
import { Subject, tap } from 'rxjs';

const env = (name: string) => process.env[name] ?? '';
const monitor = new Monitor();
const files = fileSink<Uint8Array | null>(localDisk({ root: env('ROLLING_FOLDER') }), {
  root: '/lake',
  format: text(),
  roll: { intervalMs: 3_600_000 },
  monitor,
});
const stop$ = new Subject<void>();
const instanceId = env('ROLLING_INSTANCE');
const source = kafkaSource(kafkajs({ brokers: env('RXFLUME_KAFKA_BROKERS').split(',') }), {
  topics: [env('ROLLING_TOPIC')],
  groupId: env('ROLLING_TOPIC'),
  protocol: env('ROLLING_PROTOCOL') as GroupProtocol,
  resumeFrom: files.offsetStore,
  monitor,
  ...(instanceId !== '' && { groupInstanceId: instanceId }),
});

let lines = '';
setInterval(() => {
  appendFileSync(env('ROLLING_LOG'), lines);
  lines = '';
}, 100).unref();
setInterval(() => {
  const owned = monitor.samples().find(({ name }) => name === 'rxflume_source_assigned_partitions')?.value ?? 0;
  process.send?.(owned);
}, 100).unref();
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => stop$.next());
source
  .drainedBy(stop$)
  .pipe(
    tap(({ origin }) => {
      lines += `${origin.stream.split('/')[1]} ${origin.offset} ${Date.now()}\n`;
    }),
    files.write(),
  )
  .subscribe({
    error: (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
    complete: () => {
      appendFileSync(env('ROLLING_LOG'), lines);
      process.exit(0);
    },
  });
