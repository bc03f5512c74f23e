// rxflume without a sink: what was read is settled soon.
import { type Delivery, json, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { decode, drainOn, filterValue, mapValue } from 'rxflume/operators';
import { type Observable, Subject } from 'rxjs';
import { Message } from './message.js';
import { perform, type Task } from './perform.js';
import { Runs } from './runs.js';

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
      let settled = 0;
      const runs = new Runs();
      const watching = setInterval(() => {
        runs.ack();
        if (settled >= (task.records ?? 0)) stop$.next();
      }, 5);
      const settled$: Observable<Delivery<unknown>> = task.isDecoding
        ? records$.pipe(
            decode(json(Message)),
            filterValue(({ lang }) => lang !== undefined),
          )
        : records$.pipe(
            mapValue((value) => value),
            filterValue((value) => value !== null),
          );
      settled$.subscribe({
        next: (delivery) => {
          settled += 1;
          runs.add(delivery);
        },
        error: reject,
        complete: () => {
          clearInterval(watching);
          resolve(settled);
        },
      });
    }),
);
