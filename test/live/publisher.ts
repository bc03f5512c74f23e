import amqp, { type ChannelModel, type ConfirmChannel, type Options } from 'amqplib';
import type { Counted } from './cluster.js';
import { sleep } from './support.js';

/** How many messages are published at once. */
export const EACH = 50;
const EVERY_MS = 50;
const CONFIRMED_WITHIN_MS = 3_000;

/** Numbered messages, each published until a node has confirmed it, to the first node that answers. A plain client, none of ours. */
export class Publisher {
  confirmed = 0;
  readonly #urls: readonly string[];
  readonly #exchange: string;
  #isStopped = false;
  readonly done: Promise<void>;

  constructor(urls: readonly string[], exchange: string) {
    this.#urls = urls;
    this.#exchange = exchange;
    this.done = this.#run();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.done;
  }

  async #run(): Promise<void> {
    for (let at = 0; !this.#isStopped; at += 1) {
      await onNode(this.#urls[at % this.#urls.length] as string, async (channel) => {
        while (!this.#isStopped) {
          for (let n = this.confirmed; n < this.confirmed + EACH; n += 1) {
            channel.publish(this.#exchange, '', Buffer.from(JSON.stringify({ n, text: 'Where is my order?' })), {
              persistent: true,
            });
          }
          const late = sleep(CONFIRMED_WITHIN_MS).then(() => Promise.reject(new Error('no confirmation')));
          await Promise.race([channel.waitForConfirms(), late]);
          late.catch(() => undefined);
          this.confirmed += EACH;
          await sleep(EVERY_MS);
        }
      }).catch(() => sleep(200));
    }
  }
}

/** Runs with a channel of a connection of its own; fails when that ends. */
export async function onNode<T>(url: string, use: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const connection: ChannelModel = await amqp.connect(`${url}?heartbeat=2`, { noDelay: true, timeout: 3_000 });
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    const ended = new Promise<never>((_, reject) => connection.once('close', () => reject(new Error('closed'))));
    return await Promise.race([use(channel), ended]);
  } finally {
    await Promise.race([connection.close().catch(() => undefined), sleep(1_000)]);
  }
}

/** How often each number is in a queue or a stream, until nothing has come for a while. */
export function numbersIn(url: string, queue: string, options: Options.Consume, quietMs = 1_500): Promise<Counted> {
  return onNode(url, async (channel) => {
    const seen = new Map<number, number>();
    let last = performance.now() + 2_000;
    await channel.prefetch(1_000);
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return;
        last = performance.now();
        const { n } = JSON.parse(String(message.content)) as { n: number };
        seen.set(n, (seen.get(n) ?? 0) + 1);
        channel.ack(message);
      },
      options,
    );
    while (performance.now() - last < quietMs) await sleep(100);
    return seen;
  });
}
