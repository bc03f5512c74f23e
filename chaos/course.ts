import { eventually, pause } from './pause.js';
import type { Stage } from './stage.js';
import { PARTITIONS } from './topic.js';

/** Records for the time after the faults: while all drain, and for the one that is started last. */
const DRAIN_RECORDS = 1_000;
const LAST_RECORDS = 100 * PARTITIONS;

/** The longest a record may wait to be committed while nothing is down or frozen: a session, a rebalance and a roll, with kills. */
const MAX_AGE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

const START_WITHIN_MS = 60_000;
const CATCH_UP_WITHIN_MS = 120_000;
const DRAIN_WITHIN_MS = 70_000;

/** From an empty topic to collectors that have drained: the faults, the recovery, the end. */
export async function runCourse(stage: Stage): Promise<void> {
  await stage.topic.create();
  await start(stage);
  await watched(stage, async () => {
    await suffer(stage);
    await recover(stage);
  });
  await drain(stage);
  await takeOver(stage);
}

/** Looks at how old what is not committed has become, in every partition, until the part of the course is over. */
async function watched(
  { topic, groupId, ages, faults, stop, complaints }: Stage,
  part: () => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const watch = async () => {
    let wasQuiet = false;
    while (!signal.aborted) {
      const progress = await topic.progress(groupId).catch(() => undefined);
      const isQuiet = faults.areQuiet && progress !== undefined;
      ages.look(performance.now(), progress ?? [], isQuiet && wasQuiet);
      wasQuiet = isQuiet;
      await pause(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    await part();
  } finally {
    over.abort();
    await watching;
  }
  for (const { partition, ms } of ages.worst) {
    if (ms <= MAX_AGE_MS) continue;
    complaints.push(
      `the oldest record of partition ${partition} waited ${Math.round(ms / 1_000)} s with all services up`,
    );
  }
}

async function start({ plan, collectors, stop }: Stage): Promise<void> {
  for (let slot = 0; slot < plan.collectors; slot += 1) collectors.start(slot);
  const isReady = await eventually(() => collectors.working === plan.collectors, START_WITHIN_MS, stop);
  if (!isReady) throw new Error(`the collectors did not get partitions within ${START_WITHIN_MS} ms`);
}

async function suffer({ options, plan, topic, faults, stop, note }: Stage): Promise<void> {
  const end = options.records - DRAIN_RECORDS - LAST_RECORDS;
  await Promise.all([topic.produce(0, end, options.seconds * 1_000, stop), faults.carryOut(plan.faults, stop)]);
  note('the faults are over');
}

async function recover({ topic, groupId, stop, note, complaints }: Stage): Promise<void> {
  const lag = () => topic.lag(groupId);
  if (await eventually(async () => (await lag()) === 0, CATCH_UP_WITHIN_MS, stop)) return note('all is committed');
  complaints.push(`${await lag()} records were not committed ${CATCH_UP_WITHIN_MS} ms after the last fault`);
}

/** SIGTERM to all while records come. */
async function drain({ options, topic, collectors, stop, note, complaints }: Stage): Promise<void> {
  const end = options.records - LAST_RECORDS;
  const produced = topic.produce(end - DRAIN_RECORDS, end, 2_000, stop);
  produced.catch(() => undefined);
  await pause(1_000, stop);
  complaints.push(...(await collectors.drain(DRAIN_WITHIN_MS, stop)));
  await produced;
  note('all have drained');
}

/** A last collector must take all streams, go on where the others ended, commit on each stream, and drain. */
async function takeOver({ options, topic, groupId, collectors, stop, note, complaints }: Stage): Promise<void> {
  await topic.produce(options.records - LAST_RECORDS, options.records, 0, stop);
  const { code, lastError } = await collectors.runLast(DRAIN_WITHIN_MS, stop);
  if (code !== 0) complaints.push(`the last collector ended with ${code}: ${lastError}`);
  const lag = await topic.lag(groupId);
  if (lag !== 0) complaints.push(`the last collector left ${lag} records uncommitted`);
  note('a last collector has taken over, and drained');
}
