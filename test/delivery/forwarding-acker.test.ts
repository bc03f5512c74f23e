import { describe, expect, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import type { Acker, ResumeTracker } from '../../src/delivery/acker.js';
import { Delivery } from '../../src/delivery/delivery.js';
import { ForwardingAcker, oncePerAcker } from '../../src/delivery/forwarding-acker.js';

function recorded(calls: unknown[], traits: Partial<Acker> = {}): Acker {
  return {
    flush$: NEVER,
    ack: (...args) => calls.push(['ack', ...args]),
    nack: (...args) => calls.push(['nack', ...args]),
    release: (...args) => calls.push(['release', ...args]),
    hold: (...args) => calls.push(['hold', ...args]),
    ...traits,
  };
}

const deliveryOf = (acker: Acker) => new Delivery('a', { stream: 's', offset: 7, epoch: 0, byteLength: 1 }, acker, 3);

describe('ForwardingAcker', () => {
  it('passes each verb on, and adopts a delivery as it is', () => {
    const calls: unknown[] = [];
    const delivery = deliveryOf(recorded(calls));
    const adopted = new ForwardingAcker(delivery.acker).adopt(delivery);
    expect([adopted.value, adopted.origin, adopted.seq]).toEqual(['a', delivery.origin, 3]);
    adopted.ack();
    adopted.nack('no');
    adopted.release();
    adopted.acker.hold(3, 9);
    expect(calls).toEqual([
      ['ack', 3, 4],
      ['nack', 3, 4, 'no'],
      ['release', 3, 4],
      ['hold', 3, 9],
    ]);
  });

  it('is of the same stream and epoch, and shows the resume tracker unless it is hidden', () => {
    const resumeTracker = {} as ResumeTracker;
    const inner = recorded([], { resumeTracker, isMixed: true });
    expect(new ForwardingAcker(inner)).toMatchObject({ flush$: NEVER, isMixed: true });
    expect(new ForwardingAcker(inner).resumeTracker).toBe(resumeTracker);
    expect(new ForwardingAcker(inner, 'hidden').resumeTracker).toBeUndefined();
    expect(new ForwardingAcker(recorded([])).isMixed).toBe(false);
  });

  it('is made once for each acker', () => {
    const [one, other] = [recorded([]), recorded([])];
    const ackerOf = oncePerAcker(({ acker }) => new ForwardingAcker(acker));
    expect(ackerOf(deliveryOf(one))).toBe(ackerOf(deliveryOf(one)));
    expect(ackerOf(deliveryOf(one))).not.toBe(ackerOf(deliveryOf(other)));
  });
});
