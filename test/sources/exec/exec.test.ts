import { describe, expect, it } from '@jest/globals';
import { asyncScheduler } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { type LogEvent, Monitor } from '../../../src/core/monitor.js';
import { guaranteeOf } from '../../../src/flow/guarantee.js';
import type { CommandLine } from '../../../src/ports/command-runner.js';
import { execSource } from '../../../src/sources/exec/exec-source.js';
import type { ExecOptions } from '../../../src/sources/exec/options.js';
import { type CommandStep, commandRunnerContract } from '../../../src/testing/contracts/command-runner-contract.js';
import { type MemoryCommand, MemoryCommandRunner } from '../../../src/testing/index.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

type At = Parameters<Parameters<typeof inVirtualTime>[0]>[0];

class ExecRun extends SourceRun<Buffer> {
  readonly commands: MemoryCommandRunner;
  readonly monitor: Monitor;
  readonly events: LogEvent[] = [];

  constructor(options: Partial<ExecOptions>) {
    const commands = new MemoryCommandRunner();
    const monitor = new Monitor();
    const events: LogEvent[] = [];
    monitor.logEvents$.subscribe((event) => events.push(event));
    super(execSource(commands, { name: 'x', command: ['x'], killAfterMs: 100, monitor, ...options }));
    this.commands = commands;
    this.monitor = monitor;
    this.events = events;
  }

  get last(): MemoryCommand {
    return this.commands.runs.at(-1) as MemoryCommand;
  }

  get values(): string[] {
    return this.seen.map(({ value }) => String(value));
  }

  said(what: string): string[] {
    return this.events.filter((event) => event.what === what).map(({ message }) => message);
  }

  total(name: string): number {
    return this.monitor.total(`rxflume_source_${name}`);
  }
}

function running(options: Partial<ExecOptions>, check: (run: ExecRun, at: At) => void): void {
  inVirtualTime((at) => {
    const run = new ExecRun(options);
    check(run, at);
    at(110_000, () => run.leave());
  });
}

describe('execSource', () => {
  it('is as drawn: gives lines, and starts a command again that has ended', () =>
    running({}, (run, at) => {
      at(5, () => run.last.write('a\nb\nhalf'));
      at(10, () => expect(run.values).toEqual(['a', 'b']));
      at(20, () => run.last.exit(1));
      at(30, () => expect([run.values, run.commands.runs.length]).toEqual([['a', 'b', 'half'], 1]));
      at(1_022, () => run.last.write('c\r\n'));
      at(1_030, () => {
        expect(run.values).toEqual(['a', 'b', 'half', 'c']);
        expect(run.said('exec.restart')).toEqual([
          'The command of exec:x exited with code 1. It is started again in 1000 ms, for the 1. time in a row.',
        ]);
        expect([run.total('restarts_total'), run.ended]).toEqual([1, '']);
        const offsets = run.seen.map(({ origin }) => origin.offset);
        expect(offsets).toEqual(offsets.map((_, n) => (offsets[0] as number) + n));
      });
    }));

  it('waits twice as long after each failure in a row, and anew after a run of `maxDelayMs`', () =>
    running({ restart: { firstDelayMs: 100, maxDelayMs: 400 } }, (run, at) => {
      const starts: number[] = [];
      for (let ms = 0; ms < 3_000; ms += 1) {
        at(ms, () => {
          if (run.commands.runs.length > starts.length) starts.push(ms);
          const lives = starts.length === 5 ? 500 : 10;
          if (ms === (starts.at(-1) as number) + lives && !run.last.isOver) run.last.exit(null, 'SIGSEGV');
        });
      }
      at(3_000, () => {
        const waits = starts.slice(1).map((ms, n) => ms - (starts[n] as number) - (n === 4 ? 500 : 10));
        expect(waits.slice(0, 6).map((ms) => Math.floor(ms / 100) * 100)).toEqual([100, 200, 400, 400, 100, 200]);
        run.leave();
      });
    }));

  it.each([
    [{}, 0, 'complete'],
    [{}, 127, 'error RXF_EXEC_EXITED'],
    [{ failCodes: [] }, 127, ''],
    [{ endCodes: [0, 3] }, 3, 'complete'],
    [{ endCodes: [] }, 0, ''],
    [{ restart: { maxAttempts: 0 } }, 3, 'error RXF_EXEC_EXITED'],
  ])('%j: code %d leads to "%s", once what is out is settled', (options, code, end) =>
    running(options, (run, at) => {
      at(5, () => run.last.write('a\n'));
      at(10, () => run.last.exit(code));
      at(20, () => {
        expect(run.ended).toBe('');
        run.seen[0]?.ack();
        expect(run.end).toBe(end);
        expect(run.total('lost_total')).toBe(0);
      });
    }),
  );

  it('says why it fails: the code, how often, and what the command said last', () =>
    running({ restart: { maxAttempts: 1, firstDelayMs: 10 }, command: ['/opt/tool'] }, (run, at) => {
      for (const ms of [5, 50]) {
        at(ms, () => run.last.writeError('warming up\nno such device\n'));
        at(ms + 5, () => run.last.exit(3));
      }
      at(90, () => {
        expect(run.end).toBe('error RXF_EXEC_EXITED');
        expect(run.error?.message).toContain(
          'The command of exec:x (/opt/tool) exited with code 3; the last it wrote to its standard error is: no such device, 2 times in a row.',
        );
      });
    }));

  it('logs standard error line by line, ten in 10 s, shortened, and counts the others', () =>
    running({ endCodes: [], failCodes: [] }, (run, at) => {
      at(5, () =>
        run.last.writeError(`${Array.from({ length: 14 }, (_, n) => `e${n}`).join('\n')}\n${'x'.repeat(5_000)}`),
      );
      at(6_000, () => run.last.writeError('\n\nlater\n'));
      at(10_010, () => run.last.writeError('again\n'));
      at(10_020, () => {
        const said = run.said('exec.stderr');
        expect(said).toHaveLength(11);
        expect(said[0]).toBe('exec:x wrote to its standard error: e0.');
        expect(said[10]).toBe('exec:x wrote to its standard error (after 6 lines that are not logged): again.');
      });
    }));

  it('passes over standard error with `errorOutput: ignore`', () =>
    running({ errorOutput: 'ignore' }, (run, at) => {
      at(5, () => run.last.writeError('secret\n'));
      at(20, () => expect(run.events).toEqual([]));
    }));

  it('pauses the pipe while the window is full, makes no line before there is room, and loses none', () =>
    running({ window: { count: 2 } }, (run, at) => {
      at(5, () => run.last.write('a\nb\nc\nd\ne\n'));
      at(6, () => run.last.write('f\nlast'));
      at(10, () => run.last.exit(0));
      at(20, () => {
        expect([run.values, run.last.isPaused, run.total('backlog_records')]).toEqual([['a', 'b'], true, 0]);
        run.onNext = (delivery) => asyncScheduler.schedule(() => delivery.ack(), 1);
        run.seen[0]?.acker.ack(0, 2);
      });
      at(60, () => {
        expect(run.values).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'last']);
        expect([run.end, run.total('lost_total')]).toEqual(['complete', 0]);
      });
    }));

  it('shortens a long line, and says so in a header', () =>
    running({ maxMessageBytes: 4 }, (run, at) => {
      at(5, () => run.last.write('abcd\nabcdefghij\nok\n'));
      at(20, () => {
        expect(run.values).toEqual(['abcd', 'abcd', 'ok']);
        expect(run.seen.map(({ origin }) => origin.headers?.truncated?.toString())).toEqual([
          undefined,
          'true',
          undefined,
        ]);
      });
    }));

  it('drains: asks the command to end, gives what it still writes, and completes when all is settled', () =>
    running({}, (run, at) => {
      at(5, () => run.last.write('a\nlast'));
      at(10, () => run.drain());
      at(20, () => {
        expect([run.values, run.last.signals, run.ended]).toEqual([['a', 'last'], ['SIGTERM'], '']);
        run.seen[0]?.acker.ack(0, 2);
        expect([run.ended, run.total('lost_total')]).toEqual(['complete', 0]);
      });
    }));

  it('kills a command that does not end, and drains in time', () =>
    running({ drainTimeoutMs: 500 }, (run, at) => {
      at(5, () => {
        run.last.ignoresStop = true;
        run.last.write('a\n');
      });
      at(10, () => run.drain());
      at(120, () => {
        expect(run.last.signals).toEqual(['SIGTERM', 'SIGKILL']);
        run.seen[0]?.ack();
        expect(run.ended).toBe('complete');
      });
    }));

  it('ends a drain in which the window stays full, and counts what is lost', () =>
    running({ drainTimeoutMs: 500, window: { count: 1 } }, (run, at) => {
      at(5, () => run.last.write('a\nb\nc\nd\n'));
      at(10, () => run.drain());
      at(5_000, () =>
        expect([run.end, run.values, run.total('lost_total')]).toEqual(['error RXF_SOURCE_DRAIN_TIMEOUT', ['a'], 4]),
      );
    }));

  it('completes a drain at once while it waits to start the command again', () =>
    running({}, (run, at) => {
      at(5, () => run.last.exit(1));
      at(20, () => {
        run.drain();
        expect(run.ended).toBe('complete');
      });
      at(5_000, () => expect(run.commands.runs).toHaveLength(1));
    }));

  it('ends the command, and counts what is lost, when it is left', () =>
    running({}, (run, at) => {
      at(5, () => run.last.write('a\nb\nc\n'));
      at(10, () => {
        run.seen[0]?.ack();
        run.leave();
        expect([run.last.signals, run.total('lost_total')]).toEqual([['SIGTERM'], 2]);
      });
    }));

  it('ends at a nack, or goes on and counts it as lost', () => {
    running({}, (run, at) => {
      at(5, () => run.last.write('a\nb\n'));
      at(10, () => run.seen[0]?.nack(new SinkError('RXF_SINK_WRITE', 'busy')));
      at(20, () => {
        run.seen[1]?.ack();
        expect([run.end, run.last.signals, run.total('lost_total')]).toEqual([
          'error RXF_SOURCE_NACKED',
          ['SIGTERM'],
          1,
        ]);
        expect(run.error?.message).toContain("set `whenNacked: 'drop'`");
      });
    });
    running({ whenNacked: 'drop' }, (run, at) => {
      at(5, () => run.last.write('a\nb\n'));
      at(10, () => run.seen[0]?.nack(new SinkError('RXF_SINK_WRITE', 'busy')));
      at(20, () => expect([run.ended, run.total('lost_total'), run.total('nacked_total')]).toEqual(['', 1, 1]));
    });
  });

  it('fails where the command cannot be started', () =>
    inVirtualTime((at) => {
      const commands = new MemoryCommandRunner();
      commands.isStartable = false;
      const run = new SourceRun(execSource(commands, { name: 'x', command: ['x'], monitor: new Monitor() }));
      at(10, () => expect(run.end).toBe('error RXF_EXEC_START'));
    }));

  it('promises at most once', () => {
    const { traits } = execSource(new MemoryCommandRunner(), { name: 'x', command: ['x'] });
    expect(guaranteeOf({ source: traits, ledger: undefined })).toEqual({
      level: 'at-most-once',
      because: [expect.stringContaining('the pipe from the command of execSource has no ack')],
    });
  });

  it.each([
    [{ command: 'tail -F x' }, '`command` to be a list of the program and its arguments; a text needs `shell: true`'],
    [{ command: [] }, '`command`'],
    [{ command: ['a', 1] }, '`command`'],
    [{ command: ['a'], shell: true }, '`command` to be a non-empty string'],
    [{ endCodes: [300] }, '`endCodes`'],
    [{ endCodes: [0, 1], failCodes: [1] }, '`failCodes` to be none of `endCodes`'],
    [{ env: { A: 1 } }, '`env`'],
    [{ restart: { maxAttempts: -1 } }, '`restart.maxAttempts`'],
  ])('rejects %j', (options, message) => {
    const given = { name: 'x', command: ['x'], ...options } as never;
    expect(() => execSource(new MemoryCommandRunner(), given)).toThrow(`Expected ${message}`);
  });

  it('gives a text to a shell only where it is asked to', () =>
    running({ command: 'a | b', shell: true, cwd: '/srv', env: { A: '1' } }, (run, at) =>
      at(5, () =>
        expect(run.last.line).toEqual({
          command: ['/bin/sh', '-c', 'a | b'],
          cwd: '/srv',
          env: { A: '1' },
          killAfterMs: 100,
        }),
      ),
    ));
});

describe('the contract of commands, in memory', () => {
  /** Plays the steps that a command has as its text. */
  class Scripted extends MemoryCommandRunner {
    override run(line: CommandLine, listener: Parameters<MemoryCommandRunner['run']>[1]) {
      this.isStartable = line.command[0] !== 'missing';
      const running$ = super.run(line, listener);
      queueMicrotask(() => void play(this.runs.at(-1), JSON.parse(line.command[1] ?? '[]') as CommandStep[]));
      return running$;
    }
  }

  async function play(command: MemoryCommand | undefined, steps: readonly CommandStep[]): Promise<void> {
    for (const step of steps) {
      if ('out' in step) command?.write(step.out);
      else if ('err' in step) command?.writeError(step.err);
      else if ('ignoresStop' in step && command !== undefined) command.ignoresStop = true;
      else if ('exit' in step) command?.exit(step.exit);
      else if ('waitMs' in step && step.waitMs < 1_000)
        await new Promise((resolve) => setTimeout(resolve, step.waitMs));
    }
    if (!steps.some((step) => 'exit' in step || ('waitMs' in step && step.waitMs >= 1_000))) command?.exit(0);
  }

  it.each(commandRunnerContract)('$name', async ({ run }) => {
    const line = (steps: readonly CommandStep[] | undefined, killAfterMs: number) => ({
      command: steps === undefined ? ['missing'] : ['script', JSON.stringify(steps)],
      cwd: undefined,
      env: {},
      killAfterMs,
    });
    await run({ runner: new Scripted(), line });
  });
});
