import { NEVER } from 'rxjs';
import type { Acker, ResumeTracker } from '../../src/delivery/acker.js';
import { Delivery } from '../../src/delivery/delivery.js';

export type Call = [verb: string, first: number, next: number, cause?: unknown];

/** An acker that writes down each call as it comes, where `RecordingAcker` writes down what becomes of each delivery. */
export function callAcker(facts: Partial<Acker> = {}) {
  const calls: Call[] = [];
  const acker: Acker = {
    ack: (first, next) => calls.push(['ack', first, next]),
    nack: (first, next, cause) => calls.push(['nack', first, next, cause]),
    release: (first, next) => calls.push(['release', first, next]),
    hold: (first, next) => calls.push(['hold', first, next]),
    flush$: NEVER,
    ...facts,
  };
  const at = (seq: number) => new Delivery(seq, { stream: 's', offset: seq, epoch: 1, byteLength: 1 }, acker, seq);
  return { calls, acker, at };
}

/** Of a stream that is read again from where a ledger says. */
export const resumeTracker: ResumeTracker = {
  resumeFrom: () => NEVER,
  lookup: new Map(),
  start: 0,
  horizon: 0,
  reached: () => NEVER,
};
