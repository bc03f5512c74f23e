// rxflume into its null sink.
import { json, kafkaSource, nullSink } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { decode, drainOn, filterValue, mapValue } from 'rxflume/operators';
import { Subject } from 'rxjs';
import { Message } from './message.js';
import { perform, type Task } from './perform.js';

export interface ConsumeTask extends Task {
  readonly isDecoding: boolean;
}

perform<ConsumeTask>(
  (task) =>
    new Promise((resolve, reject) => {
      const stop$ = new Subject<void>();
      const records$ = kafkaSource(kafkajs({ brokers: [task.broker] }), {
        topics: [task.topic],
        groupId: task.run,
      }).pipe(drainOn(stop$));
      const nowhere = nullSink({ receiptIntervalMs: 5 }).write();
      const receipts$ = task.isDecoding
        ? records$.pipe(
            decode(json(Message)),
            filterValue(({ lang }) => lang !== undefined),
            nowhere,
          )
        : records$.pipe(
            mapValue((value) => value),
            filterValue((value) => value !== null),
            nowhere,
          );
      let settled = 0;
      receipts$.subscribe({
        next: ({ values }) => {
          settled += values;
          if (settled >= (task.records ?? 0)) stop$.next();
        },
        error: reject,
        complete: () => resolve(settled),
      });
    }),
);
