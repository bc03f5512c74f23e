import { describe, expect, it } from '@jest/globals';
import { AvroReader, AvroWriter } from '../../../src/formats/avro-bytes.js';
import { readFlumeEvent, writeFlumeEvent } from '../../../src/formats/flume-avro.js';
import { type FlumeEvent, flumeEventBytes, flumeEventOverhead } from '../../../src/formats/flume-event.js';
import { PendingRequest } from '../../../src/sources/listening/pending-request.js';
import { keptBy } from '../../support/heap.js';

/** So many events as they come from the wire, each with so many headers of a few bytes. */
function decoded(count: number, headers: number): FlumeEvent[] {
  const writer = new AvroWriter(1_000);
  for (let n = 0; n < count; n += 1) {
    const names = Array.from({ length: headers }, (_, at) => (n * headers + at).toString(36));
    writeFlumeEvent(writer, { headers: Object.fromEntries(names.map((name) => [name, ''])), body: Buffer.from('x') });
  }
  const reader = new AvroReader(writer.written);
  return Array.from({ length: count }, () => readFlumeEvent(reader, { headers: 1e9 }));
}

describe('what events take', () => {
  it.each([
    [20_000, 0],
    [20_000, 3],
    [5_000, 20],
    [1, 100_000],
  ])('is no less than the heap keeps, of %d events with %d headers, and at most thrice', (count, headers) => {
    let reported = 0;
    const kept = keptBy(() => {
      const events = decoded(count, headers);
      reported = events.reduce((sum, event) => sum + flumeEventBytes(event) + flumeEventOverhead(event), 0);
      return events;
    });
    expect(reported).toBeGreaterThan(kept * 0.9);
    expect(reported).toBeLessThan(kept * 3);
  });

  it('is not kept of a request that went out and waits for its answer', () => {
    const kept = keptBy(() => {
      const request = { client: 'a', values: decoded(5_000, 10), byteLength: 1, reply: () => true };
      const pending = new PendingRequest(request, 0, 0);
      for (let n = 0; n < 5_000; n += 1) pending.take();
      return pending;
    });
    expect(kept).toBeLessThan(500_000);
  });
});
