import type { Contestant, Job } from '../lab/contest.js';
import { runProgram } from '../lab/program.js';
import type { Services } from '../lab/services.js';
import type { LoopTask, Task } from '../programs/perform.js';
import type { RxflumeTask } from '../programs/rxflume.js';

export const ROLL_BYTES = 64 * 1024 * 1024;
/** Longer than any run: files roll by their size. */
const NEVER_MS = 600_000;

export function taskOf({ broker, hdfsUrl }: Services, { topic, run, folder }: Job): Task {
  return {
    broker,
    hdfsUrl,
    topic: topic.name,
    partitions: topic.partitions,
    records: topic.records,
    run,
    folder,
    rollBytes: ROLL_BYTES,
    rollIntervalMs: NEVER_MS,
  };
}

/** What docs/explanation/performance.md tells who wants more of Node. */
export const NODE_FLAGS = ['--initial-old-space-size=256', '--max-semi-space-size=8', '--single-threaded-gc'];

type RxflumeChoice = Partial<Pick<RxflumeTask, 'isExactlyOnce' | 'isDecoding' | 'buckets' | 'metrics'>>;

/** rxflume, exactly-once and decode-free unless said otherwise. */
export function rxflume(
  services: Services,
  name = 'rxflume',
  choice: RxflumeChoice = {},
  nodeFlags: readonly string[] = [],
): Contestant {
  return {
    name,
    run: (job) => runProgram('rxflume', rxflumeTask(services, job, choice), nodeFlags),
  };
}

export function rxflumeTask(services: Services, job: Job, choice: RxflumeChoice = {}): RxflumeTask {
  return { ...taskOf(services, job), isExactlyOnce: true, isDecoding: false, buckets: 1, ...choice };
}

/** kafkajs as it comes and WebHDFS PUTs, or only the former. */
export function plainLoop(services: Services, isWriting: boolean): Contestant {
  const name = isWriting ? 'plain kafkajs loop' : 'kafkajs eachBatch';
  return loop(services, 'plain-loop', name, { isWriting, isDecoding: false });
}

/** Kafka's protocol by hand and WebHDFS PUTs, or only the former. */
export function limit(services: Services, isWriting: boolean): Contestant {
  return loop(services, 'limit', isWriting ? 'bare fetch + PUT' : 'bare fetch', { isWriting, isDecoding: false });
}

/** Kafka's protocol by hand, and of each value JSON.parse and the codec. */
export function limitDecoding(
  services: Services,
  name = 'bare fetch, io-ts',
  nodeFlags: readonly string[] = [],
): Contestant {
  return loop(services, 'limit', name, { isWriting: false, isDecoding: true }, nodeFlags);
}

function loop(
  services: Services,
  program: string,
  name: string,
  what: Pick<LoopTask, 'isWriting' | 'isDecoding'>,
  nodeFlags: readonly string[] = [],
): Contestant {
  return {
    name,
    run: (job) => {
      const task: LoopTask = { ...taskOf(services, job), ...what };
      return runProgram(program, task, nodeFlags);
    },
  };
}

export function rxflumeConsume(
  services: Services,
  name = 'rxflume',
  isDecoding = false,
  nodeFlags: readonly string[] = [],
): Contestant {
  return { name, run: (job) => runProgram('rxflume-consume', { ...taskOf(services, job), isDecoding }, nodeFlags) };
}
