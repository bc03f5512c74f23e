import { asyncScheduler, timer } from 'rxjs';
import { describeError, OptionError } from '../../core/errors.js';
import { Source } from '../../delivery/source.js';
import type { FileSystem } from '../../ports/file-system.js';
import { MemoryDisk } from '../memory/memory-disk.js';
import { memoryFileSystem } from '../memory/memory-file-system.js';
import { MemoryKafka } from '../memory/memory-kafka.js';
import type { Steps } from './call.js';
import { chanceOf } from './chance.js';
import { Collector } from './collector.js';
import { type Acts, FaultInjector } from './fault-injector.js';
import { gatedDisk } from './gated-disk.js';
import { gatedFiles } from './gated-files.js';
import { gatedKafka } from './gated-kafka.js';
import { Recorder } from './recorder.js';
import { type Fault, faultInWords, type Schedule, strikes, type Verb } from './schedule.js';
import type { Fed, Trial } from './trial.js';
import { Waits } from './waits.js';

/** How long after the last collector another starts. */
const RESTART_MS = 10;
/** How long after waking a collector goes on before the group tells it what happened meanwhile, and more at each pace. */
const LEARN_MS = 40;
const LEARN_MORE_MS = 15;
/** Collectors at work at once; a further one does not join. */
const MAX_AT_WORK = 3;
/** Collectors started in one schedule; a flow that needs more does not get anywhere. */
const MAX_COLLECTORS = 60;
/** Steps of one schedule; a flow that makes more goes round in circles. */
const MAX_STEPS = 50_000;

const NO_FAULTS: readonly Fault[] = [];

/** The stores, the collectors, and what strikes them: one schedule of a trial, in virtual time. */
export class Simulation implements Steps, Acts {
  readonly kafka: MemoryKafka;
  readonly recorder: Recorder;
  readonly waits = new Waits();
  readonly collectors: Collector[] = [];
  /** Every step made while faults may strike. */
  readonly steps: Verb[] = [];
  /** The faults that struck, in words. */
  readonly struck: { readonly fault: Fault; readonly words: string }[] = [];
  /** What happened, a line each, where that is asked for. */
  readonly log: string[] | undefined;
  /** When the last step was made, in virtual milliseconds. */
  lastStepAt = 0;
  stepsMade = 0;
  /** Until when something is under way whatever the collectors do: late calls, sleepers. */
  dueAt = 0;
  /** Whether another collector starts when none is at work. */
  isTended = true;
  onStuck: (why: string) => void = () => undefined;
  readonly #trial: Trial;
  readonly #disk: MemoryDisk | undefined;
  readonly #filesOf: (collector: Collector) => FileSystem;
  readonly #learnMs: number;
  readonly #faults = new Map<number, Fault[]>();
  readonly #groups = new Set<string>();
  #commitsSeen = 0;
  #areFaultsOn = true;

  constructor(trial: Trial, schedule: Schedule, isLogged: boolean) {
    this.#trial = trial;
    this.#learnMs = LEARN_MS + schedule.pace * LEARN_MORE_MS;
    const pace = chanceOf(schedule.pace);
    const latencyMs = schedule.pace === 0 ? 2 : () => Math.floor(pace() * 7);
    this.kafka = new MemoryKafka({ latencyMs: 1 + (schedule.pace % 3), recordsPerFetch: trial.recordsPerFetch });
    const disk = new MemoryDisk({ latencyMs: () => (typeof latencyMs === 'number' ? 1 : Math.floor(pace() * 3)) });
    const fs = memoryFileSystem({ latencyMs });
    this.#disk = trial.disk === undefined ? undefined : disk;
    this.recorder = new Recorder(this.#disk ?? fs, this.kafka, trial);
    this.#filesOf = (collector) =>
      trial.disk === undefined
        ? gatedFiles(fs, this.recorder, this, collector)
        : trial.disk(gatedDisk(disk, this.recorder, this, collector));
    this.log = isLogged ? [] : undefined;
    for (const [topic, partitions] of Object.entries(trial.input)) this.kafka.createTopic(topic, partitions.length);
    for (const fault of schedule.faults) {
      const others = this.#faults.get(fault.step);
      if (others === undefined) this.#faults.set(fault.step, [fault]);
      else others.push(fault);
    }
  }

  get atWork(): readonly Collector[] {
    return this.collectors.filter((one) => one.isAtWork);
  }

  /** Puts a record into its topic, behind a gap of `skip` offsets. */
  produce({ topic, partition, record, skip }: Fed): void {
    const end = this.kafka.produce(topic, partition, [record], skip);
    this.waits.produced(`${topic}/${partition}`, end, asyncScheduler.now());
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    this.#areFaultsOn = false;
  }

  start(): Collector {
    const collector = new Collector(`c${this.collectors.length + 1}`);
    this.collectors.push(collector);
    this.#note(collector, 'starts');
    if (this.log !== undefined) {
      collector.monitor.logEvents$.subscribe(({ what, message }) => this.#note(collector, `log ${what}: ${message}`));
    }
    const flow = this.#trial.build({
      kafka: gatedKafka(
        this.kafka,
        { joined: (...of) => this.#joined(...of), committed: () => this.#committed() },
        this,
        collector,
      ),
      fs: this.#filesOf(collector),
      monitor: collector.monitor,
    });
    if (!(flow instanceof Source)) {
      throw new OptionError('RXF_OPTION_INVALID', 'Expected `build` to give a flow, or another source of receipts.');
    }
    collector.subscription = flow.drainedBy(collector.stop$).subscribe({
      error: (error: unknown) => this.#ended(collector, 'error', error),
      complete: () => this.#ended(collector, 'complete', undefined),
    });
    return collector;
  }

  /** Tells it to drain. */
  drain(collector: Collector): void {
    if (collector.isLeaving || !collector.isAlive) return;
    collector.isLeaving = true;
    this.#note(collector, 'begins to drain');
    collector.gate.pass(() => collector.stop$.next());
  }

  /** Ends everything, so that the clock stops. */
  end(): void {
    this.isTended = false;
    this.heal();
    for (const collector of this.collectors) {
      collector.gate.kill();
      collector.subscription.unsubscribe();
      for (const { subscription } of collector.connections) subscription.unsubscribe();
    }
  }

  // Steps.

  next(collector: Collector, verb: Verb, words: string): FaultInjector {
    this.stepsMade += 1;
    this.lastStepAt = asyncScheduler.now();
    const faults = this.#areFaultsOn ? (this.#faults.get(this.stepsMade) ?? NO_FAULTS) : NO_FAULTS;
    if (this.#areFaultsOn) this.steps.push(verb);
    if (this.log !== undefined) this.#note(collector, `${this.stepsMade} ${words}`);
    if (this.stepsMade === MAX_STEPS) this.onStuck(`${MAX_STEPS} steps were made, the last ${words}`);
    if (faults === NO_FAULTS) return new FaultInjector(NO_FAULTS, collector, this);
    const striking = faults.filter((fault) => this.#mayStrike(fault, verb));
    if (striking.length > 0) this.#disturb(0);
    for (const fault of striking) {
      const inWords = faultInWords(fault, words);
      this.struck.push({ fault, words: inWords });
      this.#note(collector, `FAULT ${inWords}`);
    }
    return new FaultInjector(striking, collector, this);
  }

  later(collector: Collector, ms: number, words: string, carryOut: () => void): void {
    this.#dueIn(ms);
    timer(ms).subscribe(() => {
      if (this.log !== undefined) this.#note(collector, `is late with ${words}`);
      carryOut();
    });
  }

  // Acts.

  kill(collector: Collector): void {
    if (!collector.isAlive) return;
    collector.gate.kill();
    this.#note(collector, 'is dead');
    this.#disturb(this.#trial.sessionTimeoutMs);
    // Never from within its own call, which has yet to return.
    timer(0).subscribe(() => collector.subscription.unsubscribe());
    timer(this.#trial.sessionTimeoutMs).subscribe(() => {
      for (const { subscription } of [...collector.connections]) subscription.unsubscribe();
    });
    this.#tend();
  }

  stop(collector: Collector, ms: number): void {
    if (!collector.isAlive || collector.gate.isStopped) return;
    collector.gate.stop();
    timer(ms).subscribe(() => {
      this.#note(collector, 'wakes');
      collector.gate.wake();
    });
    this.deafen(collector, ms + this.#learnMs);
  }

  deafen(collector: Collector, ms: number): void {
    if (!collector.isAlive) return;
    collector.gate.deafen();
    collector.deafUntil = Math.max(collector.deafUntil, asyncScheduler.now() + ms);
    this.#dueIn(ms);
    this.#watchSessions(collector);
    timer(ms).subscribe(() => {
      if (asyncScheduler.now() < collector.deafUntil) return;
      collector.gate.listen();
      for (const learn of collector.learns.splice(0)) collector.gate.pass(learn);
    });
    this.#tend();
  }

  join(): void {
    if (this.#mayJoin) this.#startSafely();
  }

  leave(collector: Collector): void {
    this.drain(collector);
    this.#tend();
  }

  expire(): void {
    for (const group of this.#groups) this.kafka.expireSessions(group);
  }

  forget(): void {
    this.kafka.forgetCommitted();
  }

  cutPower(): void {
    const isWritten = Math.random() < 0.5 ? () => false : () => Math.random() < 0.5;
    for (const collector of this.collectors) this.kill(collector);
    this.#disk?.cutPower(isWritten);
  }

  take(): void {
    this.recorder.take();
  }

  #committed(): void {
    const fresh = this.kafka.commits.slice(this.#commitsSeen);
    this.#commitsSeen = this.kafka.commits.length;
    for (const { topic, partition, offset } of fresh) {
      this.waits.committed(`${topic}/${partition}`, offset, asyncScheduler.now());
    }
    this.recorder.committed();
  }

  #joined(collector: Collector, groupId: string): void {
    this.#groups.add(groupId);
    if (!collector.gate.isHearing) this.#watchSessions(collector);
  }

  /** Lets its sessions expire, unless the group reaches it again before that. */
  #watchSessions(collector: Collector): void {
    timer(this.#trial.sessionTimeoutMs).subscribe(() => {
      if (collector.gate.isHearing || collector.gate.isDead) return;
      for (const { consumer } of collector.connections) {
        if (consumer !== undefined) collector.learns.push(this.kafka.expireSession(consumer));
      }
    });
  }

  #ended(collector: Collector, end: 'complete' | 'error', error: unknown): void {
    if (collector.gate.isDead) return;
    collector.end = end;
    collector.error = error;
    this.#note(collector, end === 'complete' ? 'completes' : `fails: ${describeError(error)}`);
    this.#tend();
  }

  /** Starts another collector when none is at work. */
  #tend(): void {
    if (!this.isTended || this.atWork.length > 0) return;
    timer(RESTART_MS).subscribe(() => {
      if (this.isTended && this.atWork.length === 0) this.#startSafely();
    });
  }

  #startSafely(): void {
    if (this.collectors.length >= MAX_COLLECTORS) {
      const { name, error } = this.collectors.findLast((one) => one.end === 'error') ?? {};
      this.onStuck(
        `${MAX_COLLECTORS} collectors were started one after the other; ${name} failed: ${describeError(error)}`,
      );
      return;
    }
    this.start();
  }

  get #mayJoin(): boolean {
    return this.isTended && this.atWork.length < MAX_AT_WORK;
  }

  #mayStrike({ kind }: Fault, verb: Verb): boolean {
    return strikes(kind, verb) && (kind !== 'join' || this.#mayJoin);
  }

  #dueIn(ms: number): void {
    this.dueAt = Math.max(this.dueAt, asyncScheduler.now() + ms);
    this.#disturb(ms);
  }

  #disturb(forMs: number): void {
    const now = asyncScheduler.now();
    this.waits.disturbed(now + forMs, now);
  }

  #note(collector: Collector, what: string): void {
    this.log?.push(`${String(asyncScheduler.now()).padStart(6)} ms  ${collector.name} ${what}`);
  }
}
