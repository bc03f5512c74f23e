// What most flows do: decode by a codec, drop by a field, JSON lines by day and language.

import * as t from 'io-ts';
import { fileSink, flow, json, jsonLines, kafkaSource, type Receipt } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { type RawJson, rawJson } from 'rxflume/formats';
import { decode, drainOn, filterValue } from 'rxflume/operators';
import { lastValueFrom, type Observable, reduce, Subject } from 'rxjs';
import { letHeapGrow } from '../../src/cli/heap-growth.js';
import { perform, type Task } from './perform.js';

export interface LakeTask extends Task {
  /** Whether JSON that was not changed is written as it came. */
  readonly isRaw: boolean;
  /** Whether V8's heap grows as under `rxflume run`. */
  readonly isHeapGrown: boolean;
  readonly compression: 'none' | 'gzip';
  readonly compressionLevel?: number;
  readonly dropped: string;
  /** How many are stored then. */
  readonly kept: number;
}

const Chat = t.type({
  id: t.string,
  conversation: t.string,
  at: t.string,
  lang: t.string,
  channel: t.string,
  from: t.string,
  customer: t.string,
  text: t.string,
});
type Chat = t.TypeOf<typeof Chat>;

const pathOf = ({ at, lang }: Chat) => `dt=${at.slice(0, 10)}/lang=${lang}`;

async function run(receipts$: Observable<Receipt>, { records, kept }: LakeTask): Promise<number> {
  const stored = await lastValueFrom(receipts$.pipe(reduce((sum, { values }) => sum + values, 0)));
  if (stored !== kept) throw new Error(`${stored} records are stored, not ${kept}`);
  return records as number;
}

perform<LakeTask>((task) => {
  if (task.isHeapGrown) letHeapGrow();
  const kafka = kafkajs({ brokers: [task.broker] });
  const hdfs = webhdfs({ nameNodes: [task.hdfsUrl], user: 'flume' });
  const to = {
    root: task.folder,
    roll: { bytes: task.rollBytes, intervalMs: task.rollIntervalMs },
    format: jsonLines({
      compression: task.compression,
      ...(task.compressionLevel === undefined ? {} : { compressionLevel: task.compressionLevel }),
    }),
  };
  const stop$ = new Subject<void>();
  let read = 0;
  const kept = ({ channel }: Chat) => {
    read += 1;
    if (read === task.records) queueMicrotask(() => stop$.next());
    return channel !== task.dropped;
  };
  const source = { topics: [task.topic], groupId: task.run };
  if (task.isRaw) {
    const lake = fileSink<RawJson<Chat>>(hdfs, { ...to, path: ({ value }) => pathOf(value) });
    return run(
      flow(
        'bench',
        kafkaSource(kafka, { ...source, resumeFrom: lake.offsetStore }),
        decode(rawJson(Chat)),
        filterValue(({ value }) => kept(value)),
        lake.write(),
      ).pipe(drainOn(stop$)),
      task,
    );
  }
  const lake = fileSink<Chat>(hdfs, { ...to, path: pathOf });
  return run(
    flow(
      'bench',
      kafkaSource(kafka, { ...source, resumeFrom: lake.offsetStore }),
      decode(json(Chat)),
      filterValue(kept),
      lake.write(),
    ).pipe(drainOn(stop$)),
    task,
  );
});
