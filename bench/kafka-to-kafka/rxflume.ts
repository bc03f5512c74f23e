// rxflume as its users write it: source, sink, acks and commits; in transactions that carry the offsets, or at least once.
import { defaultMonitor, flow, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { drainOn } from 'rxflume/operators';
import { Subject } from 'rxjs';
import { startMeasure } from '../lab/measure.js';
import { brokers } from './topics.js';

const [topic = '', copy = '', count = '', group = '', name = ''] = process.argv.slice(2);
const done = startMeasure();
const stop$ = new Subject<void>();
const driver = kafkajs({ brokers });
const sink = kafkaSink<Buffer | null>(driver, { topic: copy });
const path = flow(
  'bench',
  kafkaSource(driver, {
    topics: [topic],
    groupId: group,
    ...(name === 'exactly-once' ? { resumeFrom: sink.offsetStore } : {}),
  }),
  sink.write(),
);
const seen = setInterval(() => {
  // What waits in the source when it is drained would not be copied.
  const isHeldBack = defaultMonitor.total('rxflume_source_held_back_partitions') > 0;
  if (!isHeldBack && defaultMonitor.total('rxflume_source_records_total') >= Number(count)) stop$.next();
}, 5);
let values = 0;
path.pipe(drainOn(stop$)).subscribe({
  next: (receipt) => {
    values += receipt.values;
  },
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
  complete: () => {
    clearInterval(seen);
    done(values);
  },
});
