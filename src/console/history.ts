import type { Sample } from '../core/monitor.js';
import type { ConsoleHistory, FlowHistory, FlowView } from './contract.js';
import { LatencyHistory } from './latency-history.js';

const HISTORY_SECONDS = 900;
/** How far points are apart. */
export const POINT_MS = 5_000;
const POINTS = (HISTORY_SECONDS * 1_000) / POINT_MS;
/** Of more flows, those that were seen first are kept. */
const MAX_FLOWS = 100;

type Name = keyof FlowHistory;
type Point = Readonly<Record<Name, number | null>>;
const NAMES: readonly Name[] = ['perSecond', 'bytesPerSecond', 'ageSeconds', 'backlog', 'inFlight'];

/** The last 15 minutes of each flow. Bounds: 180 points of 5 numbers, for each of 100 flows; latencies as `LatencyHistory`. */
export class History {
  readonly #seconds: number[] = [];
  readonly #latencies = new LatencyHistory(POINTS);
  readonly #flows = new Map<string, (Point | null)[]>();

  add(atMs: number, flows: readonly FlowView[], samples: readonly Sample[]): void {
    this.#latencies.add(samples);
    const before = this.#seconds.length;
    this.#seconds.push(Math.round(atMs / 1_000));
    for (const { name } of flows) {
      if (this.#flows.has(name) || this.#flows.size >= MAX_FLOWS) continue;
      this.#flows.set(
        name,
        Array.from({ length: before }, () => null),
      );
    }
    const byName = new Map(flows.map((flow) => [flow.name, flow]));
    for (const [name, points] of this.#flows) {
      const flow = byName.get(name);
      points.push(flow === undefined ? null : pointOf(flow));
    }
    if (this.#seconds.length <= POINTS) return;
    this.#seconds.shift();
    for (const [name, points] of this.#flows) {
      points.shift();
      if (points.every((point) => point === null)) this.#flows.delete(name);
    }
  }

  read(): ConsoleHistory {
    const flows = [...this.#flows].map(([name, points]) => [
      name,
      Object.fromEntries(
        NAMES.map((one) => [one, points.map((point) => point?.[one] ?? null)]),
      ) as unknown as FlowHistory,
    ]);
    return { seconds: [...this.#seconds], flows: Object.fromEntries(flows), latencies: this.#latencies.read() };
  }
}

function pointOf({ parts, edges, ageSeconds, streams }: FlowView): Point {
  const backlogs = streams.flatMap(({ backlog }) => backlog ?? []);
  return {
    perSecond: parts[0]?.perSecond ?? null,
    bytesPerSecond: edges[0]?.bytesPerSecond ?? null,
    ageSeconds: ageSeconds ?? null,
    backlog: backlogs.length === 0 ? null : backlogs.reduce((sum, one) => sum + one, 0),
    inFlight: parts[0]?.inFlight ?? null,
  };
}
