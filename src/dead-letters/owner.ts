import { hostname } from 'node:os';
import { randomName } from '../core/random-name.js';

/** The process that runs a replay. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** At random, of this start of the process: in a container every process may have the same pid. */
  readonly start: string;
}

const START = randomName();

export function ownOwner(): Owner {
  return { host: hostname(), pid: process.pid, start: START };
}

/** Replays that run in this process, by their ids. */
const running = new Set<string>();

export function beginRunning(id: string): () => void {
  running.add(id);
  return () => running.delete(id);
}

/** Whether the owner of a replay still runs it: `unknown` where it is on another host. */
export function runs({ host, pid, start }: Owner, id: string): 'yes' | 'no' | 'unknown' {
  const own = ownOwner();
  if (host !== own.host) return 'unknown';
  if (start === own.start) return running.has(id) ? 'yes' : 'no';
  if (pid === own.pid) return 'no';
  try {
    process.kill(pid, 0);
    return 'yes';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'yes' : 'no';
  }
}
