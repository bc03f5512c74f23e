import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Acking } from '../../../src/sources/amqp/acking.js';

/** A channel of a broker, in its plainest form: what is delivered and not settled. */
class Broker {
  readonly unsettled = new Set<number>();
  readonly acked = new Set<number>();
  delivered = 0;
  frames = 0;

  deliver(): void {
    this.delivered += 1;
    this.unsettled.add(this.delivered);
  }

  ack(tag: number, isMultiple: boolean): void {
    if (!this.unsettled.has(tag)) throw new Error(`406 unknown delivery tag ${tag}`);
    this.frames += 1;
    const settled = [...this.unsettled].filter((one) => (isMultiple ? one <= tag : one === tag));
    for (const one of settled) {
      this.unsettled.delete(one);
      this.acked.add(one);
    }
  }

  nack(tag: number): void {
    if (!this.unsettled.delete(tag)) throw new Error(`406 unknown delivery tag ${tag}`);
  }
}

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('deliver', 'deliver', 'deliver', 'ack', 'ack', 'ack', 'refuse', 'tell', 'send'),
    at: fc.nat({ max: 99 }),
    length: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 80 },
);

describe('Acking', () => {
  it('tells the broker exactly what was acked, whatever comes in which order', () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const acking = new Acking();
        const broker = new Broker();
        const acked = new Set<number>();
        const nacked = new Set<number>();
        const reported = new Set<number>();
        const isFree = (seq: number) => !acked.has(seq) && !nacked.has(seq);
        const send = () => {
          for (const { deliveryTag, isMultiple } of acking.take()) broker.ack(deliveryTag, isMultiple);
        };
        for (const { what, at, length } of plan) {
          const first = broker.delivered === 0 ? 0 : at % broker.delivered;
          const next = Math.min(broker.delivered, first + length);
          const run = Array.from({ length: next - first }, (_, n) => first + n).filter(isFree);
          if (what === 'deliver') broker.deliver();
          else if (what === 'ack') {
            expect(acking.ack(first, next)).toBe(run.length);
            for (const seq of run) acked.add(seq);
          } else if (what === 'refuse') {
            expect(acking.markNacked(first, next)).toEqual(run);
            for (const seq of run) nacked.add(seq);
          } else if (what === 'tell') {
            const isOwed = nacked.has(first) && !reported.has(first);
            expect(acking.reported(first)).toBe(isOwed);
            if (isOwed) {
              reported.add(first);
              broker.nack(first + 1);
            }
          } else send();
          expect(acking.settled).toBe(acked.size + nacked.size);
        }
        send();
        expect([...broker.acked].sort((a, b) => a - b)).toEqual([...acked].map((seq) => seq + 1).sort((a, b) => a - b));
        expect(acking.owed).toBe(0);
        let end = 0;
        while (acked.has(end) || reported.has(end)) end += 1;
        expect(acking.end).toBe(end);
      }),
      { numRuns: 1_000 },
    );
  });

  it('says a run with one frame, also over what was nacked and reported', () => {
    const acking = new Acking();
    acking.markNacked(1, 2);
    acking.ack(0, 4);
    // 1 is not told yet: nothing above it may be acked together.
    expect(acking.take()).toEqual([
      { deliveryTag: 1, isMultiple: false },
      { deliveryTag: 3, isMultiple: false },
      { deliveryTag: 4, isMultiple: false },
    ]);
    acking.reported(1);
    acking.ack(4, 7);
    expect(acking.take()).toEqual([{ deliveryTag: 7, isMultiple: true }]);
    expect(acking.take()).toEqual([]);
  });
});
