/** What each of several parties does to a delivery; done when all of them have done it. */
export type FanOutVerb = 'ack' | 'hold' | 'release';

type Visit = (first: number, next: number) => void;

/** Sequence numbers that are kept together. */
const PAGE = 1_024;
/** The most parties: a bit each in a byte. */
export const MAX_PARTIES = 8;

class Page {
  open = 0;
  readonly isOpen = new Uint8Array(PAGE);
  readonly ack = new Uint8Array(PAGE);
  readonly hold = new Uint8Array(PAGE);
  readonly release = new Uint8Array(PAGE);
}

/**
 * Which of several parties have acked, held and released which sequence numbers. A sequence number is open from `take` until `close`; what is
 * said of one that is not counts for nothing.
 *
 * Bounds: 4 KiB for each 1,024 sequence numbers of which one is open.
 */
export class FanOutState {
  readonly #all: number;
  readonly #pages = new Map<number, Page>();

  constructor(parties: number) {
    this.#all = 2 ** parties - 1;
  }

  take(seq: number): void {
    const at = seq % PAGE;
    const number = (seq - at) / PAGE;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Page();
      this.#pages.set(number, page);
    }
    if (page.isOpen[at] === 1) return;
    page.isOpen[at] = 1;
    page.open += 1;
    page.ack[at] = 0;
    page.hold[at] = 0;
    page.release[at] = 0;
  }

  /** The party does it to the run; visits the runs of open sequence numbers to which all parties now have, and had not before. */
  mark(verb: FanOutVerb, party: number, first: number, next: number, visit: Visit): void {
    const bit = 1 << party;
    this.#eachRun(first, next, visit, (page, at) => {
      const before = page[verb][at] as number;
      const after = before | bit;
      page[verb][at] = after;
      return after === this.#all && before !== after;
    });
  }

  /** Closes the open sequence numbers of the run that the party has not acked; visits their runs. */
  nack(party: number, first: number, next: number, visit: Visit): void {
    const bit = 1 << party;
    this.#eachRun(first, next, visit, (page, at) => ((page.ack[at] as number) & bit) === 0);
  }

  /** Whether no sequence number is open. */
  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  /** How many sequence numbers are open. */
  get open(): number {
    let open = 0;
    for (const page of this.#pages.values()) open += page.open;
    return open;
  }

  /** Closes the sequence numbers of the run: nothing more follows for them. */
  close(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) {
      const at = seq % PAGE;
      const number = (seq - at) / PAGE;
      const page = this.#pages.get(number);
      if (page === undefined || page.isOpen[at] === 0) continue;
      page.isOpen[at] = 0;
      page.open -= 1;
      if (page.open === 0) this.#pages.delete(number);
    }
  }

  /** Visits the runs of open sequence numbers for which it holds; after all were looked at, since a visit may change them. */
  #eachRun(first: number, next: number, visit: Visit, holds: (page: Page, at: number) => boolean): void {
    const runs: [number, number][] = [];
    for (let seq = first; seq < next; seq += 1) {
      const at = seq % PAGE;
      const page = this.#pages.get((seq - at) / PAGE);
      if (page === undefined || page.isOpen[at] === 0 || !holds(page, at)) continue;
      const last = runs.at(-1);
      if (last !== undefined && last[1] === seq) last[1] = seq + 1;
      else runs.push([seq, seq + 1]);
    }
    for (const [from, to] of runs) visit(from, to);
  }
}
