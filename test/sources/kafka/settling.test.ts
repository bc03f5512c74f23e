import { describe, expect, it } from '@jest/globals';
import { Settling } from '../../../src/lifecycle/settling.js';
import { Assignment, lateError } from '../../../src/sources/kafka/assignment.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { batchOf, partitionOf } from './setting.js';

function waiting() {
  const [one, two] = [partitionOf(0).own, partitionOf(0, undefined, 4).own];
  one.enqueue(batchOf([0, 1]));
  one.take();
  one.take();
  const assignment = new Assignment(1, [one, two]);
  const settling = new Settling(() => assignment.isSettled);
  const seen: unknown[] = [];
  const listen = (withinMs: number) =>
    settling
      .within(withinMs, () => lateError(assignment.partitions, withinMs))
      .subscribe({
        error: ({ code, message }: { code: string; message: string }) => seen.push(code, message),
        complete: () => seen.push('settled'),
      });
  return { one, assignment, settling, seen, listen };
}

describe('waiting until all that is out is settled', () => {
  it('ends when it is, and not before', () =>
    inVirtualTime((at) => {
      const { one, settling, seen, listen } = waiting();
      listen(100);
      one.ack(0, 1);
      settling.look();
      expect(seen).toEqual([]);
      one.nack(1, 2, 'no');
      settling.look();
      expect(seen).toEqual(['settled']);
      listen(100);
      expect(seen).toEqual(['settled', 'settled']);
      at(200, () => expect(seen.length).toBe(2));
    }));

  it('names every stream that has something out', () =>
    inVirtualTime((at) => {
      const { assignment, seen, listen } = waiting();
      const other = assignment.get({ topic: 'chat', partition: 4 });
      other?.enqueue(batchOf([0]));
      other?.take();
      listen(10);
      at(20, () => expect(seen[1]).toContain('3 records of kafka:chat/3, kafka:chat/4 were not settled'));
    }));

  it('fails in time, with what is out of what, and what to do', () =>
    inVirtualTime((at) => {
      const { one, seen, listen } = waiting();
      listen(100);
      one.ack(0, 1);
      at(99, () => expect(seen).toEqual([]));
      at(101, () =>
        expect(seen).toEqual([
          'RXF_SOURCE_DRAIN_TIMEOUT',
          '1 records of kafka:chat/3 were not settled within 100 ms. They are redelivered at the next start. See why the sink is ' +
            'slow, or raise `drainTimeoutMs`.',
        ]),
      );
    }));
});
