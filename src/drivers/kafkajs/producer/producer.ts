import { catchError, defer, type Observable, type ObservableInput, type Subscriber } from 'rxjs';
import { OptionError } from '../../../core/errors.js';
import type { PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import type {
  KafkaCompression,
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducerListener,
  KafkaProducing,
  KafkaSent,
  KafkaTransactions,
} from '../../../ports/kafka-producer.js';
import { canDeflateZstd } from '../codecs/codecs.js';
import { Signal } from '../consumer/signal.js';
import { DriverLog } from '../driver-log.js';
import { connectError, type Setting } from '../errors.js';
import { type CheckedOptions, secretsOf } from '../options.js';
import type { Internals } from '../vendor/internals.js';
import type { OpenSocket } from '../vendor/sockets.js';
import type { Packing } from './batch-writer.js';
import { answerOf, closedError, transactionError, verdictOf } from './producer-answers.js';
import { ProducerLink } from './producer-link.js';
import { Producing } from './producing.js';
import type { ProducingFor, Sender } from './sender.js';
import { Sequences } from './sequences.js';
import { Transactions } from './transactions.js';

const WAIT_MS = 100;
/** How a batch names its codec. */
const CODECS: Readonly<Record<KafkaCompression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** The codec of a producer's batches. Throws `OptionError` where it cannot be written here. */
export function packingOf({ codecs }: Internals, compression: KafkaCompression): Packing {
  if (compression === 'zstd' && !canDeflateZstd) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`compression\` to be supported by Node ${process.versions.node}, got \`zstd\`: it needs Node 22.15 or later.`,
      { details: { option: 'compression' } },
    );
  }
  const number = CODECS[compression];
  return { number, codec: number === 0 ? undefined : codecs[number]?.() };
}

/** One subscription of the producer driver: a connection to the cluster, and all that is written through it. */
export class Producer implements KafkaProducer, ProducingFor, Sender {
  readonly link: ProducerLink;
  readonly setting: Setting;
  readonly producing: KafkaProducing;
  readonly packing: Packing;
  readonly closing = new Signal();
  isClosed = false;
  readonly #name: string;
  readonly #out: Subscriber<KafkaProducer>;
  readonly #driverLog: DriverLog;
  readonly #sending: Producing;
  #sequences: Promise<Sequences> | undefined;

  constructor(
    internals: Internals,
    open: OpenSocket,
    options: CheckedOptions,
    of: { readonly name: string; readonly producing: KafkaProducing; readonly packing: Packing },
    listener: KafkaProducerListener,
    out: Subscriber<KafkaProducer>,
  ) {
    this.#name = of.name;
    this.producing = of.producing;
    this.packing = of.packing;
    this.setting = { brokers: options.brokers, secrets: secretsOf(options) };
    this.#out = out;
    this.#driverLog = new DriverLog(listener, this.setting.secrets);
    this.link = new ProducerLink(internals, options, this.#driverLog, open);
    this.#sending = new Producing(this, this);
  }

  start(): void {
    this.link.connect().then(
      () => {
        if (!this.isClosed) this.#out.next(this);
      },
      (error: unknown) => {
        this.abandon();
        this.#out.error(error);
      },
    );
  }

  send(records: readonly KafkaOutgoing[], isWanted?: (recordIndex: number) => boolean): Observable<KafkaSent> {
    return this.#unlessClosed(() => this.#sending.send(records, isWanted));
  }

  take(transactionalId: string): ObservableInput<KafkaTransactions> {
    return this.#unlessClosed(async () => {
      const { transactionTimeoutMs } = this.producing;
      const id = await this.#again(
        () => this.link.takeProducerId(transactionalId, transactionTimeoutMs),
        (error) => transactionError(transactionalId, 'take it', error, this.setting),
      );
      return new Transactions(this, new Sequences(id, transactionalId));
    });
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]> {
    return this.#unlessClosed(() =>
      this.#again(
        () => this.link.stableOffsets(groupId, partitions),
        (error) => connectError(error, this.setting),
      ),
    );
  }

  /** Disconnects at once. */
  abandon(): void {
    this.isClosed = true;
    this.#driverLog.silence();
    this.closing.fire();
    this.link.destroy();
  }

  // What sending asks, outside of transactions.

  sequences(): Promise<Sequences> {
    if (this.#sequences === undefined) {
      const asked = this.link.newProducerId().then((id) => new Sequences(id, null));
      this.#sequences = asked;
      asked.catch(() => {
        if (this.#sequences === asked) this.#sequences = undefined;
      });
    }
    return this.#sequences;
  }

  renew(): void {
    this.#sequences = undefined;
  }

  anew(partition: string, error: unknown): void {
    this.#driverLog.tell(
      'warn',
      'kafka.sequence',
      `Kafka no longer has earlier records that were written to ${partition} (${answerOf(error)}): records may have been lost when a ` +
        'replica that was behind became the leader. Writing continues under a new producer epoch.',
    );
  }

  /** Once it is closed, that is what each call fails with, whatever becomes of it. */
  #unlessClosed<T>(act: () => ObservableInput<T>): Observable<T> {
    return defer(() => {
      if (this.isClosed) throw closedError(this.#name);
      return act();
    }).pipe(
      catchError((error: unknown) => {
        throw this.isClosed ? closedError(this.#name) : error;
      }),
    );
  }

  /** Asks until it is answered: what is asked may be asked any number of times. */
  async #again<T>(ask: () => Promise<T>, rejection: (error: unknown) => unknown): Promise<T> {
    const until = performance.now() + this.producing.sendTimeoutMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        this.link.forget(error);
        const verdict = verdictOf(error);
        const mayPass = verdict === 'again' || verdict === 'lost';
        if (!mayPass) throw rejection(error);
        if (performance.now() > until || this.isClosed) {
          throw connectError(error, this.setting, this.#driverLog.lastFailure);
        }
        await this.closing.wait(WAIT_MS);
        await this.link.refresh().catch((failure: unknown) => this.link.forget(failure));
      }
    }
  }
}
