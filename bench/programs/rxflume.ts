// rxflume as its users write it: one mapValue, one filterValue, lines of text; or records decoded by io-ts, and JSON lines.
import { defaultMonitor, fileSink, flow, json, jsonLines, kafkaSource, text } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, drainOn, filterValue, mapValue } from 'rxflume/operators';
import { Subject } from 'rxjs';
import { Message } from './message.js';
import { perform, type Task } from './perform.js';

export interface RxflumeTask extends Task {
  /** Whether the source takes up from the sink's ledger. */
  readonly isExactlyOnce: boolean;
  readonly isDecoding: boolean;
  readonly buckets: number;
  readonly maxOpenFiles?: number;
}

perform<RxflumeTask>(
  (task, stage) =>
    new Promise((resolve, reject) => {
      const stop$ = new Subject<void>();
      const to = {
        root: task.folder,
        roll: { bytes: task.rollBytes, intervalMs: task.rollIntervalMs },
        ...(task.maxOpenFiles === undefined ? {} : { maxOpenFiles: task.maxOpenFiles }),
        ...(task.buckets === 1
          ? {}
          : {
              path: ({ delivery }: { delivery: { origin: { offset: number } } }) =>
                `bucket=${delivery.origin.offset % task.buckets}`,
            }),
      };
      const hdfs = webhdfs({ nameNodes: [task.hdfsUrl], user: 'flume' });
      const plain = fileSink<Buffer | null>(hdfs, { ...to, format: text() });
      const decoded = fileSink<Message>(hdfs, { ...to, format: jsonLines() });
      const { positions } = task.isDecoding ? decoded : plain;
      const records$ = kafkaSource(kafkajs({ brokers: [task.broker] }), {
        topics: [task.topic],
        groupId: task.run,
        ...(task.isExactlyOnce ? { resumeFrom: positions } : {}),
      });
      const path = task.isDecoding
        ? flow(
            'bench',
            records$,
            decode(json(Message)),
            filterValue(({ lang }) => lang !== undefined),
            decoded.write(),
          )
        : flow(
            'bench',
            records$,
            mapValue((value) => value),
            filterValue((value) => value !== null),
            plain.write(),
          );
      const watching = setInterval(() => {
        const records = defaultMonitor.total('rxflume_source_records_total');
        if (task.isTelling) stage.seen(records);
        if (records >= (task.records ?? Number.POSITIVE_INFINITY)) stop$.next();
      }, 5);
      void stage.stopped.then(() => stop$.next());
      let values = 0;
      path.pipe(drainOn(stop$)).subscribe({
        next: (receipt) => {
          values += receipt.values;
          if (task.isTelling) stage.durable(receipt.target);
        },
        error: reject,
        complete: () => {
          clearInterval(watching);
          resolve(values);
        },
      });
    }),
);
