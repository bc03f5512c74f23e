// rxflume as its users write it: one mapValue, one filterValue, text lines, acks and commits; with the ledger, or without.
import { defaultMonitor, fileSink, flow, kafkaSource, MiB, text } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { drainOn, filterValue, mapValue } from 'rxflume/operators';
import { Subject } from 'rxjs';
import { startMeasure } from './measure.js';

const [topic = '', count = '', group = '', name = ''] = process.argv.slice(2);
const stop$ = new Subject<void>();
const lake = fileSink(webhdfs({ nameNodes: [process.env.RXFLUME_HDFS_URL ?? ''], user: 'flume' }), {
  root: `/lake/bench/${group}`,
  format: text(),
  roll: { bytes: 64 * MiB },
});
const path = flow(
  'bench',
  kafkaSource(kafkajs({ brokers: (process.env.RXFLUME_KAFKA_BROKERS ?? '').split(',') }), {
    topics: [topic],
    groupId: group,
    ...(name === 'rxflume-at-least-once' ? {} : { resumeFrom: lake.positions }),
  }),
  mapValue((value) => value),
  filterValue((value) => value !== null),
  lake.write(),
);
const done = startMeasure();
const seen = setInterval(() => {
  if (defaultMonitor.total('rxflume_source_records_total') >= Number(count)) stop$.next();
}, 5);
let values = 0;
path.pipe(drainOn(stop$)).subscribe({
  next: (receipt) => {
    values += receipt.values;
  },
  error: (error) => {
    console.error(error);
    process.exit(1);
  },
  complete: () => {
    clearInterval(seen);
    done(values);
  },
});
