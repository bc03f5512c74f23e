import type { Collectors } from './collectors.js';
import { pause } from './pause.js';
import { type Fault, nameOf, type Point } from './plan.js';
import type { Proxies, Trap } from './proxies.js';
import type { Service } from './services.js';

/** How often a kind of fault was planned, and done. */
export interface FanOutState {
  planned: number;
  done: number;
}

export interface FaultsOptions {
  readonly proxies: Proxies;
  readonly collectors: Collectors;
  readonly restart: (service: Service) => Promise<void>;
  /** Called with a line about each fault once it is done. */
  readonly say: (line: string) => void;
}

/** The longest a kill or a freeze waits for its moment; then it comes at once. */
const MOMENT_WITHIN_MS = 4_000;

/** Does the faults of a plan, each at its time. */
export class Faults {
  readonly tallies = new Map<string, FanOutState>();
  readonly #options: FaultsOptions;
  readonly #frozenUntil: number[] = [];
  #restarting: Promise<void> = Promise.resolve();
  #restarts = 0;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Answers when all of it is over: nothing is frozen, down, or under way any more. */
  async carryOut(plan: readonly Fault[], signal: AbortSignal): Promise<void> {
    for (const fault of plan) this.#tally(nameOf(fault)).planned += 1;
    const startedAt = Date.now();
    const begun: Promise<void>[] = [];
    let failure: unknown;
    for (const fault of plan) {
      await pause(Math.max(0, startedAt + fault.atMs - Date.now()), signal);
      if (failure !== undefined) break;
      const work = this.#begin(fault, signal);
      work.catch((error: unknown) => {
        failure ??= error;
      });
      begun.push(work);
    }
    await Promise.all(begun);
    await pause(Math.max(0, ...this.#frozenUntil.map((time) => time - Date.now())), signal);
    await this.#options.proxies.calm();
  }

  /** No service is down and no collector frozen by what is done here. */
  get areQuiet(): boolean {
    return this.#restarts === 0 && this.#frozenUntil.every((time) => time <= Date.now());
  }

  /** Answers when no service is being restarted. */
  async settled(): Promise<void> {
    await this.#restarting.catch(() => undefined);
  }

  #begin(fault: Fault, signal: AbortSignal): Promise<void> {
    const { collectors, restart } = this.#options;
    switch (fault.kind) {
      case 'restart':
        this.#restarts += 1;
        this.#restarting = this.#restarting
          .then(() => signal.throwIfAborted())
          .then(() => restart(fault.service))
          .then(() => this.#done(nameOf(fault)))
          .finally(() => {
            this.#restarts -= 1;
          });
        return this.#restarting;
      case 'cut':
        this.#arm(fault.point, fault.lateMs, (slot) => this.#done(nameOf(fault), slot));
        return Promise.resolve();
      case 'kill':
        return this.#injector(fault, signal, (slot) => collectors.kill(slot, fault.absentMs));
      case 'freeze':
        return this.#injector(fault, signal, (slot) => {
          const isFrozen = collectors.freeze(slot, fault.frozenMs);
          if (isFrozen) this.#frozenUntil.push(Date.now() + fault.frozenMs + 500);
          return isFrozen;
        });
    }
  }

  /** Strikes whoever comes to the fault's point, or the one it names when nobody does. */
  async #injector(
    fault: Fault & { kind: 'kill' | 'freeze' },
    signal: AbortSignal,
    hit: (slot: number) => boolean,
  ): Promise<void> {
    const { point, lateMs, slot, kind } = fault;
    let isDone = false;
    const strike = (at: number, name: string) => {
      if (isDone) return;
      isDone = hit(at);
      if (isDone) this.#done(name, at);
    };
    if (point !== null) {
      const trap = this.#arm(point, lateMs, (at) => strike(at, nameOf(fault)));
      const deadline = Date.now() + MOMENT_WITHIN_MS;
      while (!isDone && Date.now() < deadline) await pause(50, signal);
      this.#options.proxies.disarm(trap);
    }
    while (!isDone) {
      strike(this.#options.collectors.near(slot), kind);
      if (!isDone) await pause(100, signal);
    }
  }

  #arm({ moment, way }: Point, lateMs: number, caught: (slot: number) => void): Trap {
    const trap = { moment, way, lateMs, caught };
    this.#options.proxies.arm(trap);
    return trap;
  }

  #done(name: string, slot?: number): void {
    this.#tally(name).done += 1;
    this.#options.say(slot === undefined ? name : `${name}: collector ${slot}`);
  }

  #tally(name: string): FanOutState {
    const fanOutState = this.tallies.get(name) ?? { planned: 0, done: 0 };
    this.tallies.set(name, fanOutState);
    return fanOutState;
  }
}
