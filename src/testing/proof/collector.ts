import { ReplaySubject, Subscription } from 'rxjs';
import { Monitor } from '../../core/monitor.js';
import type { KafkaConsumer } from '../../ports/kafka-consumer.js';
import { Gate } from './gate.js';

/** One connection of a collector to the group, as the world sees it. */
export interface Connection {
  readonly subscription: Subscription;
  consumer: KafkaConsumer | undefined;
}

/** One run of the flow, from its start to its end, its crash, or the end of the trial. */
export class Collector {
  readonly name: string;
  readonly gate = new Gate();
  readonly monitor = new Monitor();
  /** Tells it to drain. */
  readonly stop$ = new ReplaySubject<void>(1);
  readonly connections = new Set<Connection>();
  /** To be called when the group reaches it again. */
  readonly learns: (() => void)[] = [];
  /** Until when the group does not reach it, in virtual milliseconds. */
  deafUntil = 0;
  subscription = Subscription.EMPTY;
  isLeaving = false;
  end: 'complete' | 'error' | undefined;
  error: unknown;

  constructor(name: string) {
    this.name = name;
  }

  /** It is neither dead nor at its end. */
  get isAlive(): boolean {
    return !this.gate.isDead && this.end === undefined;
  }

  /** It is there to work: alive, awake, within reach of the group and not about to leave. */
  get isAtWork(): boolean {
    return this.isAlive && this.gate.isHearing && !this.isLeaving;
  }
}
