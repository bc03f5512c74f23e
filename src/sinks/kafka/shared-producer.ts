import { concatMap, defer, Observable, type ObservableInput, ReplaySubject, Subscription, take } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { KafkaProducer, KafkaProducerDriver, KafkaProducing } from '../../ports/kafka-producer.js';

interface Opened {
  readonly producer$: ReplaySubject<KafkaProducer>;
  readonly connection: Subscription;
}

/**
 * One connection for all that a sink does: opened when it is first needed, kept for as long as it is needed, opened anew
 * where opening has failed.
 */
export class SharedProducer {
  readonly #driver: KafkaProducerDriver;
  readonly #producing: KafkaProducing;
  readonly #logEvent: (level: 'info' | 'warn', what: string, message: string) => void;
  #opened: Opened | undefined;
  #users = 0;

  constructor(
    driver: KafkaProducerDriver,
    producing: KafkaProducing,
    logEvent: (level: 'info' | 'warn', what: string, message: string) => void,
  ) {
    this.#driver = driver;
    this.#producing = producing;
    this.#logEvent = logEvent;
  }

  /** Keeps the connection until it is unsubscribed, and opens none. */
  keep(): Subscription {
    this.#users += 1;
    return new Subscription(() => {
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#opened?.connection.unsubscribe();
      this.#opened = undefined;
    });
  }

  /** Does something with the producer, and keeps the connection meanwhile. Fails as the driver does where there is none. */
  using<T>(act: (producer: KafkaProducer) => ObservableInput<T>): Observable<T> {
    return new Observable((subscriber) => {
      subscriber.add(this.keep());
      subscriber.add(this.#open().producer$.pipe(take(1), concatMap(act)).subscribe(subscriber));
    });
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    const opened: Opened = { producer$: new ReplaySubject(1), connection: new Subscription() };
    this.#opened = opened;
    const over = (error: unknown) => {
      if (this.#opened === opened) this.#opened = undefined;
      opened.producer$.error(error);
    };
    opened.connection.add(
      // A driver may throw, where it cannot compress like that.
      defer(() => this.#driver.open(this.#producing, { logEvent: this.#logEvent })).subscribe({
        next: (producer) => opened.producer$.next(producer),
        error: over,
        complete: () => over(endedError(this.#driver.name)),
      }),
    );
    return opened;
  }
}

function endedError(name: string): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_LOST',
    `The producer of ${name} has ended. It is opened anew for what comes next.`,
  );
}
