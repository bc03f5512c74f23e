import { innerPartsOf } from '../../delivery/inner-parts.js';
import type { Probe } from '../../delivery/probe.js';
import { bad, type Group } from './finding.js';

/** A part inside an operator, called by the way to it: `tee › archive`. */
export interface InnerProbed {
  readonly name: string;
  readonly part: { readonly probe?: Probe };
}

/** All are looked at side by side, so there is a bound. */
const MOST = 32;

/** The sinks in branches, those of dead letters and the schema registries of a flow's steps, each once, however many hold it. */
export function innerOf(steps: readonly { readonly name: string }[]): {
  readonly shown: readonly InnerProbed[];
  readonly more: number;
} {
  const seen = new Set<unknown>();
  const all: InnerProbed[] = [];
  const add = (holder: unknown, way: string) => {
    for (const { name, part } of innerPartsOf(holder)) {
      if (seen.has(part)) continue;
      seen.add(part);
      const isHolder = innerPartsOf(part).length > 0;
      const { probe } = (part ?? {}) as { readonly probe?: unknown };
      const to = `${way} › ${name}`;
      // A decoder asks nothing of anyone unless it has a probe; a branch may be a function of the application's own.
      if (typeof probe === 'function' || (!isHolder && name !== 'decoder' && name !== 'encode'))
        all.push({ name: to, part: part as InnerProbed['part'] });
      add(part, to);
    }
  };
  for (const step of steps) add(step, step.name);
  return { shown: all.slice(0, MOST), more: Math.max(0, all.length - MOST) };
}

/** What is said of those beyond the bound. */
export function unshown(count: number): Group[] {
  if (count === 0) return [];
  const text = `${count} more sinks in branches were not looked at (${MOST} are)`;
  return [{ name: 'Branches', findings: [bad('warning', 'unknown', text, 'Look at them in a flow of their own.')] }];
}
