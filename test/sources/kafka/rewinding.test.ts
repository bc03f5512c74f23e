import { describe, expect, it } from '@jest/globals';
import { timer } from 'rxjs';
import { DecodeError, SinkError } from '../../../src/core/errors.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { chat, start } from './chat.js';

describe('kafkaSource, nacks', () => {
  it('reads a partition again from its watermark after a nack that may be retried, with growing waits', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, ...'abc');
      kafka.produce('chat', 1, ['x']);
      const run = start(kafka, { redeliver: { maxAttempts: 3, firstDelayMs: 100 } });
      let nacks = 0;
      run.onNext = (delivery) => {
        if (String(delivery.value) === 'b' && nacks < 2) {
          nacks += 1;
          delivery.nack(new SinkError('RXF_FILES_UNREACHABLE', 'no NameNode'));
        } else delivery.ack();
      };
      at(50, () => expect(run.values().sort()).toEqual(['a', 'b', 'x']));
      at(150, () => expect(run.values().sort()).toEqual(['a', 'b', 'b', 'x']));
      at(1_000, () => {
        expect(run.values().sort()).toEqual(['a', 'b', 'b', 'b', 'c', 'x']);
        expect(kafka.committed('lake', 'chat', 0)).toBe(3);
        run.leave();
      });
    }));

  it('stops at a nack that may not be retried: the rest is settled and committed up to it, never past it', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, ...'abc');
      kafka.produce('chat', 1, ['x']);
      const run = start(kafka, { commit: { count: 1_000, intervalMs: 60_000 } });
      run.onNext = (delivery) => {
        if (String(delivery.value) === 'b') delivery.nack(new DecodeError('RXF_DECODE_SYNTAX', 'Not JSON: b.'));
        else timer(20).subscribe(() => delivery.ack());
      };
      at(500, () => {
        expect(run.ended).toBe('error');
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_NACKED', details: { stream: 'kafka:chat/0', offset: 1 } });
        expect((run.error as Error).message).toContain('Not JSON: b.');
        expect([kafka.committed('lake', 'chat', 0), kafka.committed('lake', 'chat', 1)]).toEqual([
          1,
          run.values().includes('x') ? 1 : 0,
        ]);
      });
    }));

  it('gives up redelivering after so many attempts without progress', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      const run = start(kafka, { redeliver: { maxAttempts: 2, firstDelayMs: 10, maxDelayMs: 10 } });
      run.onNext = (delivery) => delivery.nack(new SinkError('RXF_FILES_FULL', 'no space'));
      at(1_000, () => {
        expect(run.values()).toEqual(['a', 'a', 'a']);
        expect((run.error as Error).message).toContain('after 3 attempts');
        expect(kafka.committed('lake', 'chat', 0)).toBe(0);
      });
    }));

  it('settles once: an ack after a nack, and a second ack, do nothing', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'ab');
      const run = start(kafka, { redeliver: { firstDelayMs: 10_000 } });
      at(10, () => {
        run.seen[0]?.nack(new SinkError('RXF_FILES_FULL', 'no space'));
        run.seen[0]?.ack();
        run.seen[1]?.ack();
        run.seen[1]?.ack();
        run.seen[1]?.nack('late');
      });
      at(300, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(0);
        expect(run.ended).toBe('');
        run.leave();
      });
    }));

  it('a partition that waits to be read again takes no room from the others', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, ...'abcdefghij');
      const run = start(kafka, { maxUnacked: 10, redeliver: { firstDelayMs: 2_000 } });
      at(10, () => {
        expect(run.seen.length).toBe(10);
        for (const delivery of run.seen) delivery.nack(new SinkError('RXF_FILES_UNREACHABLE', 'away'));
        kafka.produce('chat', 1, ['k', 'l']);
      });
      at(500, () => expect(run.values().slice(10)).toEqual(['k', 'l']));
      at(3_000, () => {
        expect(run.values().slice(12)).toEqual([...'abcdefgh']);
        run.leave();
      });
    }));
});
