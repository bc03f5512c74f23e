// rxflume as its users write it: one mapValue, one filterValue, lines of text; or records decoded by io-ts, and JSON lines.
import { fileSink, flow, json, jsonLines, kafkaSource, Monitor, text } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { metricsHandler } from 'rxflume/metrics';
import { decode, drainOn, filterValue, mapValue } from 'rxflume/operators';
import type { FileSystem, KafkaDriver } from 'rxflume/ports';
import { Subject } from 'rxjs';
import { withoutMetrics } from '../metrics/without-metrics.js';
import { Message } from './message.js';
import { perform, type Stage, type Task } from './perform.js';

export interface RxflumeTask extends Task {
  /** Whether the source resumes from the sink's ledger. */
  readonly isExactlyOnce: boolean;
  readonly isDecoding: boolean;
  readonly buckets: number;
  /** `read`: as a Prometheus that scrapes every five seconds does. `none`: nothing is measured for metrics alone. */
  readonly metrics?: 'read' | 'none';
  /** What is read before the measurement begins, to another folder. */
  readonly warmUp?: { readonly topic: string; readonly records: number };
}

/** In turn, at most so many at a time: more open files than that are too much for one small DataNode. */
const BUCKETS_AT_A_TIME = 100;

function bucketOf(offset: number, { buckets, records = 1 }: RxflumeTask): number {
  const atATime = Math.min(buckets, BUCKETS_AT_A_TIME);
  return Math.floor((offset * buckets) / atATime / records) * atATime + (offset % atATime);
}

interface Drivers {
  readonly kafka: KafkaDriver;
  readonly hdfs: FileSystem;
}

const SCRAPE_MS = 5_000;
const monitor = new Monitor();

/** `taken` is called with each record that goes to the sink. */
function flowOf(task: RxflumeTask, { kafka, hdfs }: Drivers, taken: () => void) {
  const { topic, folder, buckets, rollBytes, rollIntervalMs } = task;
  const to = {
    root: folder,
    roll: { bytes: rollBytes, intervalMs: rollIntervalMs },
    monitor,
    ...(buckets === 1
      ? {}
      : {
          path: (_: unknown, delivery: { origin: { offset: number } }) =>
            `bucket=${bucketOf(delivery.origin.offset, task)}`,
        }),
  };
  const plain = fileSink<Buffer | null>(hdfs, { ...to, format: text() });
  const decoded = fileSink<Message>(hdfs, { ...to, format: jsonLines() });
  const { offsetStore } = task.isDecoding ? decoded : plain;
  const records$ = kafkaSource(kafka, {
    topics: [topic],
    groupId: task.run,
    monitor,
    ...(task.isExactlyOnce ? { resumeFrom: offsetStore } : {}),
  });
  if (!task.isDecoding) {
    return flow(
      'bench',
      records$,
      mapValue((value) => value),
      filterValue((value) => {
        taken();
        return value !== null;
      }),
      plain.write(),
    );
  }
  return flow(
    'bench',
    records$,
    decode(json(Message)),
    filterValue(({ lang }) => {
      taken();
      return lang !== undefined;
    }),
    decoded.write(),
  );
}

function collect(task: RxflumeTask, drivers: Drivers, stage?: Stage): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop$ = new Subject<void>();
    let taken = 0;
    const watching = setInterval(() => {
      if (task.isTelling) stage?.seen(taken);
      if (taken >= (task.records ?? Number.POSITIVE_INFINITY)) stop$.next();
    }, 5);
    void stage?.stopped.then(() => stop$.next());
    let values = 0;
    const count = () => {
      taken += 1;
    };
    flowOf(task, drivers, count)
      .pipe(drainOn(stop$))
      .subscribe({
        next: (receipt) => {
          values += receipt.values;
          if (task.isTelling) stage?.durable(receipt.target);
        },
        error: reject,
        complete: () => {
          clearInterval(watching);
          resolve(values);
        },
      });
  });
}

let warm: Drivers | undefined;

function driversOf({ broker, hdfsUrl }: RxflumeTask): Drivers {
  return { kafka: kafkajs({ brokers: [broker] }), hdfs: webhdfs({ nameNodes: [hdfsUrl], user: 'flume' }) };
}

function measured(task: RxflumeTask): void {
  if (task.metrics === 'none') withoutMetrics();
  if (task.metrics !== 'read') return;
  const handle = metricsHandler({ monitor });
  setInterval(() => handle(new Request('http://localhost/metrics')), SCRAPE_MS).unref();
}

perform<RxflumeTask>(
  (task, stage) => {
    measured(task);
    return collect(task, warm ?? driversOf(task), stage);
  },
  async (task) => {
    if (task.warmUp === undefined) return;
    warm = driversOf(task);
    const before = {
      ...task,
      ...task.warmUp,
      run: `${task.run}-warm`,
      folder: `${task.folder}/_warm`,
      isTelling: false,
      buckets: 1,
    };
    await collect(before, warm);
  },
);
