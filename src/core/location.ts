import { SinkError } from './errors.js';

/** An external thing that is read or written by name: Kafka topics, RabbitMQ queues. */
export interface Location {
  /** Its kind, such as `Kafka topic`: names of different kinds are unrelated. */
  readonly kind: string;
  /** The addresses of its system, such as `k1:9092`; two lists with an address in common mean the same system. */
  readonly addresses: readonly string[];
  /** The names, or one pattern that names are matched against. */
  readonly names: readonly string[] | RegExp;
}

/** The name that is in both locations: values written there would be read again. Undefined if there is none. */
export function sharedName(read: Location, written: Location): string | undefined {
  if (read.kind !== written.kind || !read.addresses.some((one) => written.addresses.includes(one))) return undefined;
  const { names } = written;
  if (names instanceof RegExp) return read.names instanceof RegExp ? undefined : read.names.find(matchedBy(names));
  return names.find(isIn(read));
}

function isIn({ names }: Location): (name: string) => boolean {
  return names instanceof RegExp ? matchedBy(names) : (name) => names.includes(name);
}

/** With the flag g or y, a pattern remembers where it was. */
function matchedBy(pattern: RegExp): (name: string) => boolean {
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  return (name) => fresh.test(name);
}

/** The error for a value addressed to what its flow reads from, as detected by a sink's `avoiding`. */
export function loopError(kind: string, name: string): SinkError {
  return new SinkError(
    'RXF_SINK_LOOP',
    `A value is addressed to ${kind} \`${name}\`, which the flow reads from: it would be redelivered forever. Correct the function that returns this name.`,
    { details: { kind, name } },
  );
}
