import type { AlertState } from './alert.js';

/** What a sample says: the condition holds; it holds no longer, and the alert may end; neither; or there is no sample. */
export type Reading = 'bad' | 'clear' | 'between' | 'missing';

/** What is known of one alert. Moments are of the monotonic clock, in milliseconds. */
export interface AlertPhase {
  /** `unknown`: nothing is known yet, or no longer. */
  readonly state: 'unknown' | 'inactive' | 'pending' | 'firing';
  readonly isMissing: boolean;
  /** Since when it is pending. */
  readonly since: number;
  /** When the condition held last. */
  readonly lastBad: number;
  /** How many samples in a row were clear. */
  readonly clears: number;
}

export interface PhaseRules {
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly clears: number;
}

export const UNKNOWN: AlertPhase = { state: 'unknown', isMissing: false, since: 0, lastBad: 0, clears: 0 };

/**
 * The next phase of an alert, and the change to report; undefined where there is none. A missing sample never ends an alert: one that
 * fires goes on firing, and one that is pending must hold for all of `forMs` again.
 *
 * Pure. An alert of which nothing is known is reported `inactive` after `clears` clear samples, so that what an earlier process
 * had reported as firing can end.
 */
export function nextPhase(
  phase: AlertPhase,
  reading: Reading,
  now: number,
  rules: PhaseRules,
): { readonly phase: AlertPhase; readonly change?: AlertState } {
  if (reading === 'missing') return missing(phase);
  const seen = { ...phase, isMissing: false };
  if (reading === 'bad') return bad(seen, phase.isMissing, now, rules);
  const clears = reading === 'clear' ? phase.clears + 1 : 0;
  const good = { ...seen, clears };
  switch (phase.state) {
    case 'inactive':
      return phase.isMissing ? { phase: good, change: 'inactive' } : { phase: good };
    case 'pending':
      return { phase: { ...good, state: 'inactive' }, change: 'inactive' };
    case 'unknown':
      return clears >= rules.clears ? { phase: { ...good, state: 'inactive' }, change: 'inactive' } : { phase: good };
    case 'firing':
      if (clears >= rules.clears && now - phase.lastBad >= rules.keepFiringForMs) {
        return { phase: { ...good, state: 'inactive' }, change: 'resolved' };
      }
      return phase.isMissing ? { phase: good, change: 'firing' } : { phase: good };
  }
}

function missing(phase: AlertPhase): ReturnType<typeof nextPhase> {
  const state = phase.state === 'pending' ? 'unknown' : phase.state;
  const next = { ...phase, state, isMissing: true, clears: 0 };
  return phase.isMissing ? { phase: next } : { phase: next, change: 'noData' };
}

function bad(phase: AlertPhase, wasMissing: boolean, now: number, { forMs }: PhaseRules): ReturnType<typeof nextPhase> {
  const held = { ...phase, lastBad: now, clears: 0 };
  if (phase.state === 'firing') return wasMissing ? { phase: held, change: 'firing' } : { phase: held };
  const since = phase.state === 'pending' ? phase.since : now;
  if (now - since >= forMs) return { phase: { ...held, state: 'firing', since }, change: 'firing' };
  const pending = { ...held, state: 'pending' as const, since };
  return phase.state === 'pending' ? { phase: pending } : { phase: pending, change: 'pending' };
}
