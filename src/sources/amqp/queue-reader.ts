import { map, type Observable, of, Subscription, timer } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { ConnectError, type SourceError } from '../../core/errors.js';
import type { RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import { randomName } from '../../core/random-name.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { StreamPosition } from '../../offsets/no-progress.js';
import type { AmqpConsumer, AmqpConsumerDriver, AmqpConsumption, AmqpMessage } from '../../ports/amqp-consumer.js';
import { Ages } from './ages.js';
import { AmqpReader } from './amqp-reader.js';
import type { BrokerState } from './gauges.js';
import type { CheckedOptions } from './options.js';
import { type ChannelState, Pressure } from './pressure.js';
import { type ChannelListener, QueueChannel } from './queue-channel.js';
import { nackedError, reportNack } from './reader-errors.js';
import type { SessionParts } from './reader-parts.js';
import { Redeliveries } from './redeliveries.js';

/** Offsets begin at the time in microseconds, so that those of a later subscription are above those of an earlier one. */
const OFFSETS_A_MS = 1_000;
/** How often in `settleAfterMs` it is looked how old the oldest is. */
const LOOKS_IN_AGE = 8;
/** What RabbitMQ 4 allows a quorum queue that says nothing. */
const USUAL_DELIVERY_LIMIT = 20;

/** Reads one classic or quorum queue: acks on the channel that brought a message, and gives back what is nacked. */
export class QueueReader extends AmqpReader<QueueChannel> implements ChannelListener {
  readonly #options: CheckedOptions;
  readonly #pressure: Pressure;
  readonly #redeliveries = new Redeliveries();
  /** Timers of the channel that is open. */
  #timers = new Subscription();
  #ages: Ages | undefined;
  #nextOffset = timeOfDayMs() * OFFSETS_A_MS;
  /** Two that began at the same moment, or after the clock was set back, count the same offsets. */
  readonly #run = randomName();
  /** How many are nacked and wait to go back, and the last nack. */
  #goingBack = 0;
  #lastNackError: SourceError | undefined;
  /** How many came that the broker had not delivered before, and how many were acked. */
  #fresh = 0;
  #acked = 0;

  constructor(driver: AmqpConsumerDriver, queue: string, options: CheckedOptions, session: SessionParts) {
    super(driver, queue, options, session);
    this.#options = options;
    this.#pressure = new Pressure(
      () => this.#state(),
      (signal) => this.ask(signal),
    );
  }

  positions(): StreamPositions {
    return { stream: this.stream };
  }

  locate(offset: number): RecordPosition | undefined {
    return this.channel?.locate(offset);
  }

  protected override get isAtRest(): boolean {
    return super.isAtRest && this.#goingBack === 0;
  }

  get waiting(): SourceError | undefined {
    return this.#goingBack > 0 ? this.#lastNackError : undefined;
  }

  protected begin(): Observable<AmqpConsumption> {
    const { queue, stream } = this;
    const { prefetch, ack, declare, consumerArguments } = this.#options;
    this.epoch += 1;
    const facts = {
      stream,
      queue,
      epoch: this.epoch,
      run: this.#run,
      base: this.#nextOffset,
      prefetch,
      ack,
      ages: this.metrics,
    };
    this.channel = new QueueChannel(facts, this);
    this.#redeliveries.begin();
    return of({ queue, prefetch, declare, arguments: consumerArguments });
  }

  protected get whatIsRead(): string {
    return `Consuming ${this.queue}, with ${this.#options.prefetch} out at most.`;
  }

  protected received(channel: QueueChannel, message: AmqpMessage): void {
    if (channel.arrived === 0 && this.#isOfStream(message)) {
      this.failed(streamError(this.queue));
      return;
    }
    this.#redeliveries.arrived(channel.arrived, message);
    this.#nextOffset += 1;
    const delivery = channel.take(message);
    if (message.isRedelivered) this.metrics.redelivered.add(1);
    else this.#fresh += 1;
    this.#watchAges(channel);
    this.emit(delivery);
  }

  // What a channel calls.

  acked(first: number, next: number, count: number): void {
    this.#redeliveries.acked(first, next);
    this.#acked += count;
    this.progressed(count);
  }

  nacked(seqs: readonly number[], cause: unknown): void {
    this.metrics.nacked.add(seqs.length);
    const back = new Map<number, number[]>();
    for (const seq of seqs) {
      const delayMs = this.#delayOf(seq, cause);
      if (delayMs === undefined) continue;
      const together = back.get(delayMs);
      if (together === undefined) back.set(delayMs, [seq]);
      else together.push(seq);
    }
    for (const [delayMs, together] of back) this.#giveBack(together, delayMs, cause);
    this.settled();
  }

  released(): void {
    this.look();
  }

  freed(count: number): void {
    this.metrics.released.add(count);
  }

  // Nacks.

  /** After how many milliseconds the message goes back to its queue; undefined where it does not. */
  #delayOf(seq: number, cause: unknown): number | undefined {
    const { redeliver, whenNacked } = this.#options;
    const { attempt, returns } = this.#redeliveries.nack(seq);
    const delayMs = returns + 1 > this.#limitAfter(returns) ? null : redeliverAfterMs(cause, attempt, redeliver);
    this.#lastNackError = nackedError(this.stream, attempt, cause);
    if (!this.isTaking) this.session.lifecycle.drain(this.#lastNackError);
    else if (delayMs !== null) return delayMs;
    else if (whenNacked === 'stop') this.session.lifecycle.drain(this.#lastNackError);
    else this.#discard(seq, cause);
    return undefined;
  }

  /** How often a message that came back so often may come back. */
  #limitAfter(returns: number): number {
    const { deliveryLimit, declare } = this.#options;
    const declared = declare?.kind === 'quorum' ? declare.arguments?.['x-delivery-limit'] : undefined;
    const limit = deliveryLimit ?? (typeof declared === 'number' ? declared : undefined);
    // Only a quorum queue counts.
    return limit ?? (returns > 0 ? USUAL_DELIVERY_LIMIT : Number.POSITIVE_INFINITY);
  }

  #discard(seq: number, cause: unknown): void {
    this.channel?.tell(seq, 'discard');
    this.metrics.deadLettered.add(1);
    const fate = 'given to the dead-letter exchange of its queue, if it has one';
    reportNack(this.monitor, this.stream, `A message of ${this.stream} was nacked for good`, fate, cause);
  }

  #giveBack(seqs: readonly number[], delayMs: number, cause: unknown): void {
    const channel = this.channel;
    this.#goingBack += seqs.length;
    const what = seqs.length === 1 ? 'A message' : `${seqs.length} messages`;
    const be = seqs.length === 1 ? 'was' : 'were';
    reportNack(
      this.monitor,
      this.stream,
      `${what} of ${this.stream} ${be} nacked`,
      `given back to the queue in ${delayMs} ms`,
      cause,
    );
    const tell = () => {
      this.#goingBack -= seqs.length;
      this.metrics.requeued.add(seqs.length);
      for (const seq of seqs) channel?.tell(seq, 'requeue');
      this.pause.look();
    };
    this.#timers.add(timer(delayMs).subscribe(tell));
  }

  // For the metrics.

  protected get isFull(): boolean {
    return this.#state().isFull;
  }

  protected get isServed(): boolean {
    return (this.channel?.arrived ?? 0) > 0;
  }

  /** Redelivery is no progress, so what is handed over does not count: a prefetch of it is redelivered at each reconnect. */
  protected get position(): StreamPosition {
    return { stream: this.stream, read: this.#fresh, acked: this.#acked, handedOver: 0 };
  }

  protected askBroker(): Observable<BrokerState> | undefined {
    return this.driver.countReady?.(this.queue).pipe(map((ready) => ({ ready })));
  }

  protected override opened(consumer: AmqpConsumer): void {
    // Others may get what was out.
    this.forgetOldest();
    super.opened(consumer);
  }

  // Asking.

  #state(): ChannelState {
    return {
      isFull: this.unsettled > 0 && this.unsettled + this.#goingBack >= this.#options.prefetch,
      isReleased: this.channel?.inFlight === 0,
      progress: this.channel?.progress ?? 0,
    };
  }

  protected override look(): void {
    super.look();
    this.#pressure.look();
  }

  /** Looks from time to time how old the oldest is, as long as something is out. */
  #watchAges(channel: QueueChannel): void {
    if (this.#ages !== undefined) return;
    const { settleAfterMs } = this.#options;
    const ages = new Ages((settleAfterMs * (LOOKS_IN_AGE - 2)) / LOOKS_IN_AGE);
    this.#ages = ages;
    const everyMs = settleAfterMs / LOOKS_IN_AGE;
    const looking = timer(0, everyMs).subscribe(() => {
      if (ages.look(monotonicMs(), channel.arrived, channel.settledEnd)) this.ask('settle');
      if (channel.unsettled > 0) return;
      looking.unsubscribe();
      this.#ages = undefined;
    });
    this.#timers.add(looking);
  }

  /** A stream gives each message its offset. Where the queue was declared, the broker has looked what it is. */
  #isOfStream({ properties }: AmqpMessage): boolean {
    return this.#options.declare === undefined && properties.headers?.['x-stream-offset'] !== undefined;
  }

  protected override endChannel(): void {
    super.endChannel();
    this.#timers.unsubscribe();
    this.#timers = new Subscription();
    this.#ages = undefined;
    this.#goingBack = 0;
    this.#pressure.end();
  }
}

function streamError(queue: string): ConnectError {
  return new ConnectError(
    'RXF_AMQP_MISMATCH',
    `The messages of ${queue} have the header x-stream-offset, so it is a stream, and what is not settled would be lost at a ` +
      'reconnect. Read it with amqpStreamSource. Where it is a queue, and the header is left from a stream before it, give ' +
      '`declare`.',
    { details: { queue } },
  );
}
