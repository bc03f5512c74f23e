import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Command, runFlow } from '../../test/live/support.js';

/** One process of a flow: its file, and what its environment says. */
export interface Process {
  readonly name: string;
  readonly file: string;
  readonly env: Record<string, string>;
}

const AGAIN_AFTER_MS = 500;

/** The processes of flows: each is restarted when it ends, whatever the reason. */
export class Flows {
  /** How many were killed, and why those that ended by themselves did. */
  kills = 0;
  readonly ended: string[] = [];
  readonly #processes: readonly Process[];
  readonly #running = new Map<Process, Command>();
  readonly #logs: WriteStream;
  #isDraining = false;

  constructor(processes: readonly Process[], folder: string) {
    this.#processes = processes;
    this.#logs = createWriteStream(join(folder, 'flows.log'));
    for (const one of processes) this.#start(one);
  }

  #start(one: Process): void {
    const command = runFlow(one.file, one.env);
    this.#running.set(one, command);
    let isKilled = false;
    command.child.once('exit', (_, signal) => {
      isKilled = signal === 'SIGKILL';
    });
    void command.ended.then((code) => {
      this.#logs.write(`--- ${one.name}, ended with ${isKilled ? 'SIGKILL' : code}\n${command.output()}\n`);
      if (this.#isDraining) return;
      if (!isKilled) this.ended.push(`${one.name} ended with ${code}: ${lastError(command)}`);
      setTimeout(() => this.#isDraining || this.#start(one), AGAIN_AFTER_MS);
    });
  }

  kill(which: number): void {
    this.kills += 1;
    this.#running.get(this.#processes[which % this.#processes.length] as Process)?.child.kill('SIGKILL');
  }

  /** SIGTERM to all; answers what did not drain well. */
  async drain(): Promise<string[]> {
    this.#isDraining = true;
    const ends = [...this.#running].map(async ([{ name }, command]) => {
      command.child.kill('SIGTERM');
      const code = await command.ended;
      return code === 0 ? [] : [`${name} drained with ${code}: ${lastError(command)}`];
    });
    return (await Promise.all(ends)).flat();
  }

  close(): void {
    this.#isDraining = true;
    for (const { child } of this.#running.values()) child.kill('SIGKILL');
    this.#logs.end();
  }
}

function lastError(command: Command): string {
  const lines = command.output().split('\n');
  return (
    lines
      .filter((line) => /"level":"error"|^rxflume: /.test(line))
      .at(-1)
      ?.slice(0, 500) ?? 'no error'
  );
}
