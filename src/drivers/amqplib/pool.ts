import type { ConnectError } from '../../core/errors.js';
import type { Dialler } from './dial.js';
import type { Link, LinkListener } from './link.js';

/** What a connection is for. A publisher that the broker blocks must not hold up consumers, so they never share one. */
export type Use = 'consume' | 'publish';

export interface Waiting extends LinkListener {
  /** The connection is established. */
  connected(link: Link): void;
}

/** A channel's use of a connection, from when it was requested. */
export interface Slot {
  /** Returns it; the connection is closed after its last use, and `freed` called then. Idempotent. */
  release(freed?: () => void): void;
}

interface Shared {
  readonly use: Use;
  readonly waiting: Set<Waiting>;
  slots: number;
  link: Link | null;
  /** It takes no more channels: its broker cannot reach what was asked for. */
  isLeft: boolean;
  cancel: () => void;
}

/** Connections, established or being made, each with up to `channelsPerConnection` channels. */
export class Pool {
  readonly #dialler: Dialler;
  readonly #most: number;
  readonly #shared = new Set<Shared>();

  constructor(dialler: Dialler, channelsPerConnection: number) {
    this.#dialler = dialler;
    this.#most = channelsPerConnection;
  }

  take(use: Use, waiting: Waiting): Slot {
    const shared = this.#free(use) ?? this.#make(use);
    shared.slots += 1;
    let isHeld = true;
    const slot: Slot = {
      release: (freed = () => {}) => {
        if (!isHeld) return;
        isHeld = false;
        shared.waiting.delete(waiting);
        shared.link?.listeners.delete(waiting);
        this.#released(shared, freed);
      },
    };
    if (shared.link === null) shared.waiting.add(waiting);
    else this.#join(shared.link, waiting);
    return slot;
  }

  /** Its broker cannot reach what was asked for: the next channels are opened at another broker, where there is one. */
  leave(link: Link): void {
    if (!this.#dialler.avoid(link.broker)) return;
    for (const shared of this.#shared) if (shared.link === link) shared.isLeft = true;
  }

  // Not before the lease is returned: the callee may release it at once.
  #join(link: Link, waiting: Waiting): void {
    link.listeners.add(waiting);
    queueMicrotask(() => {
      if (link.listeners.has(waiting)) waiting.connected(link);
    });
  }

  #free(use: Use): Shared | undefined {
    return [...this.#shared].find(
      (one) => one.use === use && !one.isLeft && one.slots < this.#most && one.link?.isOver !== true,
    );
  }

  #make(use: Use): Shared {
    const shared: Shared = { use, waiting: new Set(), slots: 0, link: null, isLeft: false, cancel: () => {} };
    this.#shared.add(shared);
    shared.cancel = this.#dialler.dial({
      connected: (link) => this.#connected(shared, link),
      failed: (error) => this.#failed(shared, error),
    });
    return shared;
  }

  #connected(shared: Shared, link: Link): void {
    shared.link = link;
    const waiting = [...shared.waiting];
    shared.waiting.clear();
    for (const one of waiting) link.listeners.add(one);
    for (const one of waiting) if (link.listeners.has(one)) one.connected(link);
  }

  #failed(shared: Shared, error: ConnectError): void {
    this.#shared.delete(shared);
    const waiting = [...shared.waiting];
    shared.waiting.clear();
    for (const one of waiting) one.ended(error);
  }

  #released(shared: Shared, freed: () => void): void {
    shared.slots -= 1;
    if (shared.slots > 0) {
      freed();
      return;
    }
    this.#shared.delete(shared);
    if (shared.link === null) shared.cancel();
    if (shared.link === null) freed();
    else shared.link.close(freed);
  }
}
