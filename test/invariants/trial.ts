import fc from 'fast-check';
import { Subject } from 'rxjs';
import { drainOn } from '../../operators/drain-on.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Source } from '../../src/delivery/source.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../support/virtual-time.js';

export interface Step {
  readonly after: number;
  readonly what: 'ack' | 'release' | 'expire' | 'produce';
  readonly pick: number;
}

/** Random interleavings: what is acked, released, lost and produced, in which order, and when. */
export const steps = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 6 }),
    what: fc.constantFrom('ack', 'ack', 'ack', 'ack', 'release', 'expire', 'produce'),
    pick: fc.nat({ max: 50 }),
  }),
  { maxLength: 30 },
) as fc.Arbitrary<Step[]>;

export interface Outcome {
  /** Commits that had not been earned by acks of the assignment they were made in, or one before it. */
  readonly unearned: string[];
  /** Records that were never acked although the taker acked all it got. */
  readonly lost: string[];
  /** Offsets that came twice in one assignment. */
  readonly twice: string[];
  readonly isDrained: boolean;
  /** Whether the last commits are at the end of the log. */
  readonly isCommitted: boolean;
}

/** Runs a source through the steps; then `isHealed` lets the taker ack all it gets; then it is drained. */
export function trial(
  build: (kafka: MemoryKafka) => Source<Delivery<unknown>>,
  plan: readonly Step[],
  { isHealed = true } = {},
): Outcome {
  const kafka = new MemoryKafka({ recordsPerFetch: 3 });
  kafka.createTopic('t', 2);
  const out: { readonly delivery: Delivery<unknown>; readonly era: number }[] = [];
  const earned = new Set<string>();
  const seen = new Set<string>();
  const outcome = {
    unearned: [] as string[],
    lost: [] as string[],
    twice: [] as string[],
    isDrained: false,
    isCommitted: false,
  };
  const produced: number[][] = [[], []];
  /** Counts the losses of the session: an ack is earned only in the era it belongs to. */
  let era = 0;
  let isHealthy = false;
  const nameOf = ({ origin }: Delivery<unknown>) => `${origin.stream} ${origin.offset}`;

  inVirtualTime((at) => {
    const produce = (pick: number) => {
      const partition = pick % 2;
      const skip = pick % 5 === 0 ? 3 : 0;
      const before = produced[partition]?.at(-1) ?? -1;
      kafka.produce('t', partition, [`v${pick}`], skip);
      produced[partition]?.push(before + 1 + skip);
    };
    const ack = (one: { readonly delivery: Delivery<unknown>; readonly era: number }) => {
      if (one.era === era) earned.add(nameOf(one.delivery));
      one.delivery.ack();
    };
    const look = () => {
      for (const { partition, offset } of kafka.commits.splice(0)) {
        const missing =
          produced[partition]?.filter((own) => own < offset && !earned.has(`kafka:t/${partition} ${own}`)) ?? [];
        if (missing.length > 0) outcome.unearned.push(`t/${partition}: ${offset} without ${missing.join()}`);
      }
    };
    for (let n = 0; n < 9; n += 1) produce(n);
    const stop$ = new Subject<void>();
    const running = build(kafka)
      .pipe(drainOn(stop$))
      .subscribe({
        next: (delivery) => {
          const one = { delivery, era };
          out.push(one);
          const name = `${era} ${delivery.origin.epoch} ${nameOf(delivery)}`;
          if (seen.has(name)) outcome.twice.push(name);
          seen.add(name);
          if (isHealthy) ack(one);
        },
        error: () => {
          outcome.isDrained = true;
        },
        complete: () => {
          outcome.isDrained = true;
        },
      });
    let now = 0;
    for (const { after, what, pick } of plan) {
      now += after;
      at(now, () => {
        const one = out[pick % Math.max(1, out.length)];
        if (what === 'produce') produce(pick);
        else if (what === 'expire') {
          era += 1;
          kafka.expireSessions('g');
        } else if (what === 'ack' && one !== undefined) ack(one);
        else if (one !== undefined) one.delivery.release();
        look();
      });
      at(now + 1, look);
    }
    at(now + 50, () => {
      look();
      if (!isHealed) return;
      isHealthy = true;
      for (const one of out) ack(one);
    });
    at(now + 5_000, () => {
      look();
      const ends = [0, 1].map((partition) => kafka.committed('g', 't', partition));
      outcome.isCommitted = ends.every((end, partition) => end === (produced[partition]?.at(-1) ?? -1) + 1);
      for (const [partition, offsets] of produced.entries()) {
        for (const offset of offsets) {
          if (!earned.has(`kafka:t/${partition} ${offset}`)) outcome.lost.push(`t/${partition} ${offset}`);
        }
      }
      stop$.next();
    });
    at(now + 10_000, () => running.unsubscribe());
  });
  return outcome;
}
