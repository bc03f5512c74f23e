import { SinkError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nackErrorOfThrown } from '../../delivery/nack-errors.js';
import { encodeWith } from './http-body.js';
import type { CheckedOptions } from './options.js';
import { urlProblem } from './request-parts.js';

/** Where a value goes, and as what. */
export interface Routed {
  /** The values of one queue are sent in order: those of a stream, or of the keys of a stream that fall together. */
  readonly queue: string;
  readonly url: string;
  readonly piece: string | Uint8Array;
}

/** Routes and encodes one value. Fails: with what to nack it with, where a function of the options throws. */
export function route<T>(options: CheckedOptions<T>, delivery: Delivery<T>): Routed {
  let step = 'key';
  try {
    const queue = queueOf(options, delivery);
    step = 'url';
    const url = urlOf(options, delivery);
    step = 'body.encode';
    return { queue, url, piece: encodeWith(options.body, delivery.value) };
  } catch (cause) {
    throw nackErrorOfThrown(`${step} of httpSink`, cause, delivery, 'RXF_SINK_FORMAT');
  }
}

function queueOf<T>({ order, key, maxInFlight }: CheckedOptions<T>, delivery: Delivery<T>): string {
  const { stream, offset } = delivery.origin;
  if (order !== 'key') return stream;
  const given = key(delivery.value, delivery);
  // What has no key has no order: spread by its offset.
  const number = given === undefined || given === null ? offset : hashOf(String(given));
  return `${stream} ${number % maxInFlight}`;
}

function urlOf<T>({ url }: CheckedOptions<T>, delivery: Delivery<T>): string {
  if (typeof url === 'string') return url;
  const given = url(delivery.value, delivery);
  const problem = urlProblem(given);
  if (problem === undefined) return given;
  const { stream, offset } = delivery.origin;
  throw new SinkError('RXF_SINK_FORMAT', `\`url\` gave no usable URL for ${stream} offset ${offset}: ${problem}.`);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
