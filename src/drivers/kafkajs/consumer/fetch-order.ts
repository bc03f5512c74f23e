import type { Link } from '../vendor/link.js';
import type { Assignment, OwnedPartition } from './assignment.js';

/** A partition in a fetch, as it was when the fetch was sent. */
export interface Asked {
  readonly owned: OwnedPartition;
  readonly position: number;
  readonly turn: number;
}

/**
 * What can be asked of a broker now, first what has waited longest: a broker fills a fetch in the order it was asked in, and
 * where more is there than fits, the last get nothing (KIP-74). `now`: by `performance.now()`.
 */
export function ready(assignment: Assignment, link: Pick<Link, 'leaderOf'>, node: number, now: number): Asked[] {
  return assignment.partitions
    .filter((owned) => !owned.isPaused && !owned.isLeaving && owned.position >= 0 && owned.waitUntilMs <= now)
    .filter((owned) => link.leaderOf(owned) === node)
    .sort((a, b) => a.fed - b.fed)
    .map((owned) => ({ owned, position: owned.position, turn: owned.turn }));
}
