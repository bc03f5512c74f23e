import { encodeBatch, numberedValues } from './records.js';
import { sleep } from './watch.js';
import { Wire } from './wire.js';

const EVERY_MS = 10;

export interface Steadily {
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  readonly perSecond: number;
  readonly ms: number;
}

/** Sends records at a steady rate, a batch to each partition every 10 ms, each stamped with the time it is sent. */
export async function produceSteadily(broker: string, of: Steadily): Promise<void> {
  const wire = await Wire.connect(broker);
  const values = numberedValues(of.valueBytes, Date.now);
  const startedAt = performance.now();
  const underWay = new Set<Promise<unknown>>();
  let sent = 0;
  for (let now = 0; now < of.ms; now = performance.now() - startedAt) {
    const due = Math.floor((now * of.perSecond) / 1_000) - sent;
    const each = Math.floor(due / of.partitions);
    for (let partition = 0; partition < of.partitions && each > 0; partition += 1) {
      const { bytes } = encodeBatch(sent, each, values);
      sent += each;
      const answer: Promise<unknown> = wire.produce(of.topic, partition, bytes).finally(() => underWay.delete(answer));
      underWay.add(answer);
    }
    await sleep(EVERY_MS);
  }
  await Promise.all(underWay);
  wire.close();
}
