import { ConnectError } from '../../core/errors.js';
import type { AmqpBinding, AmqpExchangeKind, AmqpProperties, AmqpTable } from '../../ports/amqp-consumer.js';
import { isSame } from '../marbles/same.js';

interface Bound extends AmqpBinding {
  readonly queue: string;
}

/** The exchanges of a broker in memory: which queues a message goes to. */
export class MemoryAmqpRouting {
  readonly #kinds = new Map<string, AmqpExchangeKind>([['', 'direct']]);
  #bindings: Bound[] = [];

  has(exchange: string): boolean {
    return this.#kinds.has(exchange);
  }

  /** Declares an exchange. Throws `RXF_AMQP_MISMATCH` where it is there as another kind. */
  declare(name: string, kind: AmqpExchangeKind): void {
    const before = this.#kinds.get(name);
    if (before !== undefined && before !== kind) {
      throw new ConnectError('RXF_AMQP_MISMATCH', `Exchange ${name} is of kind ${before}, not ${kind}.`);
    }
    this.#kinds.set(name, kind);
  }

  /** Throws `RXF_AMQP_MISSING` where there is no such exchange. */
  bind(queue: string, binding: AmqpBinding): void {
    if (!this.has(binding.exchange)) {
      throw new ConnectError('RXF_AMQP_MISSING', `There is no exchange ${binding.exchange}.`);
    }
    this.unbind(queue, binding);
    this.#bindings.push({ ...binding, queue });
  }

  unbind(queue: string, { exchange, routingKey }: AmqpBinding): void {
    this.#bindings = this.#bindings.filter(
      (one) => one.queue !== queue || one.exchange !== exchange || one.routingKey !== routingKey,
    );
  }

  /** Ends all bindings of a queue that is no more. */
  forget(queue: string): void {
    this.#bindings = this.#bindings.filter((one) => one.queue !== queue);
  }

  /** The names of the queues that the exchange gives it to; the default exchange gives it to the queue of that name. */
  route(exchange: string, routingKey: string, { headers }: AmqpProperties): string[] {
    if (exchange === '') return [routingKey];
    const kind = this.#kinds.get(exchange);
    const taken = this.#bindings
      .filter((one) => one.exchange === exchange)
      .filter((one) => {
        if (kind === 'fanout') return true;
        if (kind === 'topic') return matches(one.routingKey.split('.'), routingKey.split('.'));
        return kind === 'headers' ? fits(one.arguments ?? {}, headers ?? {}) : one.routingKey === routingKey;
      });
    return [...new Set(taken.map(({ queue }) => queue))];
  }
}

/** `*` stands for one word, `#` for any number of them. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return words.some((_, at) => matches(rest, words.slice(at))) || matches(rest, []);
  return words.length > 0 && (first === '*' || first === words[0]) && matches(rest, words.slice(1));
}

function fits(flush$: AmqpTable, headers: AmqpTable): boolean {
  const names = Object.keys(flush$).filter((name) => !name.startsWith('x-'));
  const has = (name: string) => isSame(flush$[name], headers[name]);
  return flush$['x-match'] === 'any' ? names.some(has) : names.every(has);
}
