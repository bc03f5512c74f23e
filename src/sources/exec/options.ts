import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { KiB, MiB } from '../../core/units.js';
import { checkOptions as checkFrom } from '../from/options.js';

/** When a command that has ended is started again. */
export interface RestartOptions {
  /** How often in a row, without a run of `maxDelayMs` between. Default: without end. */
  readonly maxAttempts?: number;
  /** The wait before the first time, doubled at each further one. Default 1,000. */
  readonly firstDelayMs?: number;
  /** The longest wait. A command that ran for so long begins anew at `firstDelayMs`. Default 60,000. */
  readonly maxDelayMs?: number;
}

export interface ExecOptions {
  /** Names the stream, `exec:<name>`, and with it the files and metrics made of it. */
  readonly name: string;
  /** The program and its arguments, which no shell changes; with `shell: true`, a text. */
  readonly command: readonly string[] | string;
  /** Whether `command` is a text for `/bin/sh -c`. Never put into it what others decide. Default false. */
  readonly shell?: boolean;
  /** The folder it runs in. Default: that of this process. */
  readonly cwd?: string;
  /** Set beside the environment of this process; undefined takes one away. Default none. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Exit codes after which the source completes. Default `[0]`. */
  readonly endCodes?: readonly number[];
  /** Exit codes after which it fails at once. Default `[126, 127]`: a shell found no such program, or may not run it. */
  readonly failCodes?: readonly number[];
  /** After any other code, and after a signal, the command is started again. */
  readonly restart?: RestartOptions;
  /** The most bytes of a line; a longer one is shortened and has the header `truncated`. Default 64 KiB. */
  readonly maxMessageBytes?: number;
  /** What becomes of its standard error: logged, at most ten lines in 10 s, or passed over. Default `log`. */
  readonly errorOutput?: 'log' | 'ignore';
  /** What happens at a nack, since a pipe cannot be read again: `stop` drains and fails; `drop` counts it as lost. Default `stop`. */
  readonly whenNacked?: 'stop' | 'drop';
  /** How long after the command was asked to end it, and all it started, is killed. Default 5,000. */
  readonly killAfterMs?: number;
  /** The most that is out and not released. Default 100,000 lines and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** The longest a drain waits for what is out, once the command has ended. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `execSource`. */
export const EXEC_SOURCE_DEFAULTS = {
  shell: false,
  endCodes: [0] as readonly number[],
  failCodes: [126, 127] as readonly number[],
  restart: { maxAttempts: Number.POSITIVE_INFINITY, firstDelayMs: 1_000, maxDelayMs: 60_000 },
  maxMessageBytes: 64 * KiB,
  errorOutput: 'log',
  whenNacked: 'stop',
  killAfterMs: 5_000,
  window: { count: 100_000, bytes: 64 * MiB },
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<ExecOptions>;

/** A line as it goes out. */
export interface ExecLine {
  readonly bytes: Buffer;
  readonly isCut: boolean;
}

export type CheckedOptions = ReturnType<typeof checkOptions>;

const TRUNCATED = { truncated: Buffer.from('true') };

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: ExecOptions) {
  const others = ['name', 'command', 'cwd', 'env'];
  const options = {
    ...withDefaults('execSource options', EXEC_SOURCE_DEFAULTS, given, others),
    window: groupWithDefaults('window', EXEC_SOURCE_DEFAULTS.window, given.window),
    restart: groupWithDefaults('restart', EXEC_SOURCE_DEFAULTS.restart, given.restart),
  };
  const { name, monitor, drainTimeoutMs, window, restart, shell, command, cwd, env = {} } = options;
  const session = checkFrom<ExecLine>({
    ...{ name, monitor, drainTimeoutMs, window },
    sizeOf: ({ bytes }) => Math.max(1, bytes.length),
    factsOf: ({ isCut }) => (isCut ? { headers: TRUNCATED } : {}),
  });
  expectOption('shell', shell, typeof shell === 'boolean', 'true or false');
  if (cwd !== undefined) expectText('cwd', cwd);
  const isEnv = (one: unknown) => one === undefined || typeof one === 'string';
  const hasEnv = typeof env === 'object' && env !== null && Object.values(env).every(isEnv);
  expectOption('env', env, hasEnv, 'an object of texts');
  for (const codes of ['endCodes', 'failCodes'] as const) {
    expectOption(codes, options[codes], Array.isArray(options[codes]), 'a list of exit codes');
    for (const code of options[codes]) expectWhole(codes, code, 0, 255);
  }
  const both = options.endCodes.filter((code) => options.failCodes.includes(code));
  expectOption('failCodes', options.failCodes, both.length === 0, 'none of `endCodes`');
  const { maxAttempts } = restart;
  if (maxAttempts !== Number.POSITIVE_INFINITY) expectWhole('restart.maxAttempts', maxAttempts, 0);
  expectMs('restart.firstDelayMs', restart.firstDelayMs);
  expectMs('restart.maxDelayMs', restart.maxDelayMs);
  expectWhole('maxMessageBytes', options.maxMessageBytes, 1, 2 ** 30);
  expectOneOf('errorOutput', options.errorOutput, ['log', 'ignore']);
  expectOneOf('whenNacked', options.whenNacked, ['stop', 'drop']);
  expectMs('killAfterMs', options.killAfterMs);
  const line = { command: wordsOf(command, shell), cwd, env, killAfterMs: options.killAfterMs };
  return { ...options, session, line };
}

function wordsOf(command: unknown, shell: boolean): readonly string[] {
  if (shell) {
    const rule = 'a non-empty string, which `shell: true` gives to /bin/sh';
    expectOption('command', command, typeof command === 'string' && command !== '', rule);
    return ['/bin/sh', '-c', command as string];
  }
  const isText = (word: unknown) => typeof word === 'string' && !word.includes('\0');
  const holds = Array.isArray(command) && command.length > 0 && command[0] !== '' && command.every(isText);
  expectOption('command', command, holds, 'a list of the program and its arguments; a text needs `shell: true`');
  return command as readonly string[];
}
