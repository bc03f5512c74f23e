import { Random } from '../random.js';

/** What is done to a cluster, one at a time; each is undone after a while, so that most of the servers are there at any time. */
export const CLUSTER_FAULTS = [
  'kill a broker',
  'hang a broker',
  'cut a broker off',
  'move the leaders',
  'kill all brokers',
  'kill a RabbitMQ node',
  'hang a RabbitMQ node',
  'kill the active NameNode',
  'switch the NameNodes',
  'kill a DataNode',
  'hang a DataNode',
] as const;

export type ClusterFault = (typeof CLUSTER_FAULTS)[number];

export interface Step {
  readonly fault: ClusterFault;
  /** Of the servers of that kind, from 0; to be taken modulo their count. */
  readonly which: number;
  /** How long it lasts, in milliseconds, beside what starting and stopping takes. */
  readonly forMs: number;
  /** The process of a flow that is killed in the middle of it, from 0; null for none. */
  readonly killed: number | null;
  /** How long all is well afterwards, in milliseconds. */
  readonly restMs: number;
}

/** The steps, endlessly, and always the same for one seed. Each fault occurs once before any occurs again. */
export function* stepsOf(seed: number): Generator<Step, never> {
  const random = new Random(seed);
  for (;;) {
    for (const fault of random.deal(CLUSTER_FAULTS, CLUSTER_FAULTS.length)) {
      const killed = random.next() < 0.4 ? random.between(0, 11) : null;
      yield {
        fault,
        which: random.between(0, 5),
        forMs: random.between(1_000, 6_000),
        killed,
        restMs: random.between(1_000, 4_000),
      };
    }
  }
}
