import { NEVER } from 'rxjs';
import { Delivery } from '../../src/core/delivery.js';
import type { Duty, Replay } from '../../src/core/duty.js';

export type Call = [verb: string, first: number, next: number, cause?: unknown];

/** A duty that writes down each call as it comes, where `RecordingDuty` writes down what becomes of each delivery. */
export function callDuty(facts: Partial<Duty> = {}) {
  const calls: Call[] = [];
  const duty: Duty = {
    ack: (first, next) => calls.push(['ack', first, next]),
    nack: (first, next, cause) => calls.push(['nack', first, next, cause]),
    release: (first, next) => calls.push(['release', first, next]),
    hold: (first, next) => calls.push(['hold', first, next]),
    wanted: NEVER,
    ...facts,
  };
  const at = (place: number) =>
    new Delivery(place, { stream: 's', offset: place, epoch: 1, byteLength: 1 }, duty, place);
  return { calls, duty, at };
}

/** Of a stream that is read again from where a ledger says. */
export const replay: Replay = {
  resumeFrom: () => NEVER,
  answer: new Map(),
  start: 0,
  reach: 0,
  reached: () => NEVER,
};
