import type { Subscription } from 'rxjs';
import type {
  CommandExit,
  CommandLine,
  CommandListener,
  CommandRunner,
  RunningCommand,
} from '../../ports/command-runner.js';
import { equal, sleep, until } from './checking.js';

/** What a command does, in order: write, wait, ignore that it is asked to end. It ends with `exit`, or after the last step with 0. */
export type CommandStep =
  | { readonly out: string }
  | { readonly err: string }
  | { readonly waitMs: number }
  | { readonly ignoresStop: true }
  | { readonly exit: number };

/** A runner, new for each check, and commands for it. */
export interface CommandRunnerSubject {
  readonly runner: CommandRunner;
  /** A command that does so; undefined: one that does not exist. */
  line(steps: readonly CommandStep[] | undefined, killAfterMs: number): CommandLine;
}

export interface CommandRunnerCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: CommandRunnerSubject): Promise<void>;
}

const QUIET_MS = 100;
const LONG_MS = 60_000;
/** More than a pipe, and what reads it, hold. */
const LARGE = 'a line of this text\n'.repeat(50_000);

/** What drivers of the port of commands must do, as named checks for any test runner. */
export const commandRunnerContract: readonly CommandRunnerCheck[] = [
  check('what it writes arrives in order, and then how it ended, once', async (start) => {
    const run = await start([{ out: 'a\n' }, { err: 'warned' }, { out: 'é' }, { exit: 3 }]);
    await until(() => run.exits.length > 0, 'the exit');
    equal([run.text, run.errorText, run.textAtExit], ['a\né', 'warned', 'a\né'], 'what it wrote');
    await sleep(QUIET_MS);
    equal(run.exits, [{ code: 3, signal: null }], 'exits');
  }),

  check('a pause holds its output and its end back, and loses nothing', async (start) => {
    const run = await start([{ waitMs: QUIET_MS }, { out: LARGE }, { exit: 0 }]);
    run.command.pause();
    await sleep(3 * QUIET_MS);
    equal([run.text.length, run.exits.length], [0, 0], 'what came while it was paused');
    run.command.resume();
    await until(() => run.exits.length > 0, 'the exit');
    equal(run.text === LARGE, true, 'whether all of it came');
  }),

  check('one that is asked to end ends by SIGTERM, and what it wrote is given', async (start) => {
    const run = await start([{ out: 'a' }, { waitMs: LONG_MS }]);
    await until(() => run.text === 'a', 'the text');
    run.command.stop();
    run.command.stop();
    await until(() => run.exits.length > 0, 'the exit');
    equal([run.text, run.exits], ['a', [{ code: null, signal: 'SIGTERM' }]], 'text and exits');
  }),

  check('one that does not end is killed', async (start) => {
    const run = await start([{ ignoresStop: true }, { out: 'a' }, { waitMs: LONG_MS }], QUIET_MS);
    await until(() => run.text === 'a', 'the text');
    run.command.stop();
    await until(() => run.exits.length > 0, 'the exit');
    equal(run.exits, [{ code: null, signal: 'SIGKILL' }], 'exits');
  }),

  check('one that is left gives nothing more', async (start) => {
    const run = await start([{ out: 'a' }, { waitMs: 2 * QUIET_MS }, { out: 'b' }]);
    await until(() => run.text === 'a', 'the text');
    run.leave();
    await sleep(4 * QUIET_MS);
    equal([run.text, run.exits], ['a', []], 'text and exits');
  }),

  check('one that does not exist is an error with its name', async (start) => {
    const error = await start(undefined).then(
      () => undefined,
      (cause: unknown) => cause as { readonly code?: string; readonly message?: string },
    );
    equal(error?.code, 'RXF_EXEC_START', 'code');
    equal(error?.message?.startsWith('Cannot run '), true, 'whether the message says so');
  }),
];

/** A run, and what came of it. */
class Run implements CommandListener {
  text = '';
  errorText = '';
  textAtExit = '';
  readonly exits: CommandExit[] = [];
  readonly #decoder = new TextDecoder();
  readonly #errorDecoder = new TextDecoder();
  command!: RunningCommand;
  leave!: () => void;

  output(bytes: Uint8Array): void {
    this.text += this.#decoder.decode(bytes, { stream: true });
  }

  errorOutput(bytes: Uint8Array): void {
    this.errorText += this.#errorDecoder.decode(bytes, { stream: true });
  }

  exited(exit: CommandExit): void {
    this.exits.push(exit);
    this.textAtExit = this.text;
  }
}

type Start = (steps: readonly CommandStep[] | undefined, killAfterMs?: number) => Promise<Run>;

function check(name: string, act: (start: Start) => Promise<void>): CommandRunnerCheck {
  return {
    name,
    run: async ({ runner, line }) => {
      const lives: Subscription[] = [];
      const start: Start = (steps, killAfterMs = LONG_MS) =>
        new Promise((resolve, reject) => {
          const run = new Run();
          const life = runner.run(line(steps, killAfterMs), run).subscribe({
            next: (command) => resolve(Object.assign(run, { command })),
            error: reject,
          });
          run.leave = () => life.unsubscribe();
          lives.push(life);
        });
      try {
        await act(start);
      } finally {
        for (const life of lives) life.unsubscribe();
      }
    },
  };
}
