import { SinkError } from './errors.js';

/** Something outside that is read from or written to by its name: Kafka topics, RabbitMQ queues. */
export interface Location {
  /** What it is, such as `Kafka topic`: a name means nothing to another kind. */
  readonly kind: string;
  /** Where its system is reached, such as `k1:9092`; two lists with one in common are of the same system. */
  readonly addresses: readonly string[];
  /** The names, or one pattern that names are matched against. */
  readonly names: readonly string[] | RegExp;
}

/** The name that is in both locations: what is written there would be read again. Undefined where there is none. */
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

/** With what a value is refused that was to go to what its flow reads from, by a sink's `avoiding`. */
export function loopError(kind: string, name: string): SinkError {
  return new SinkError(
    'RXF_SINK_LOOP',
    `A value was to go to ${kind} \`${name}\`, which the flow reads from: it would be redelivered forever. Correct what names it.`,
    { details: { kind, name } },
  );
}
