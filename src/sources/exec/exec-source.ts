import { map, switchMap, take } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { PushKind } from '../from/push-kind.js';
import { PushSession } from '../from/push-session.js';
import { checkOptions, type ExecLine, type ExecOptions } from './options.js';
import { SupervisedCommand } from './supervised-command.js';

const EXEC = {
  name: 'exec',
  afterNack:
    "A pipe cannot be read again, so it is lost: set such values aside as dead letters, or set `whenNacked: 'drop'`.",
  losesUnsettled: true,
} as const satisfies PushKind;

const TRAITS = {
  name: 'execSource',
  isReplayable: false,
  lossBecause: 'the pipe from the command of execSource has no ack and cannot be read again',
};

/**
 * Runs a command: one delivery for each line of its standard output, its value the bytes without the line end. The command is started
 * again when it ends. A pipe has no ack, so a flow from here is at most once.
 *
 * ```
 * command  -a⏎b⏎x-----c⏎----     x: it exits with a code that is in no list
 * values   -a-b-------c-----
 * ```
 *
 * ```ts
 * import { commandRunner } from 'rxflume/drivers/node';
 * import { execSource } from 'rxflume/inputs';
 *
 * export const load$ = execSource(commandRunner(), { name: 'vmstat', command: ['vmstat', '-n', '1'] });
 * ```
 *
 * Settles: tells the command nothing. At a nack it drains and fails, or with `whenNacked: 'drop'` goes on. What is read and not acked
 * when the source ends is lost, and counted in `rxflume_source_lost_total`; at a crash it is lost without a count, with what was in the
 * pipe.
 * Bounds: `window` for what is out, `maxMessageBytes` for a line that has begun. While the window is full the pipe is not read,
 * and once it is full too the command waits. A drain asks the command to end and gives what it still writes, within `killAfterMs` and
 * a second; then `drainTimeoutMs` begins.
 * Fails: `ConnectError` (`RXF_EXEC_START`) where the command cannot be started, `SourceError` (`RXF_EXEC_EXITED`) after one of
 * `failCodes` or more restarts than `restart.maxAttempts`, at a nack, or when a drain is late.
 * Source: Flume 1.11, `ExecSource`.
 */
export function execSource(runner: CommandRunner, options: ExecOptions): Source<Delivery<Buffer>> {
  expectFunction('runner.run', runner?.run);
  const checked = checkOptions(options);
  const kind: PushKind = { ...EXEC, whenNacked: checked.whenNacked };
  const read$ = new Source<Delivery<ExecLine>>((subscriber, stop$) => {
    let command: SupervisedCommand | undefined;
    const connect = (listener: ConstructorParameters<typeof SupervisedCommand>[2]) => {
      command = new SupervisedCommand(runner, checked, listener);
      return command;
    };
    const ended$ = stop$.pipe(
      take(1),
      switchMap(() => command?.ended() ?? [undefined]),
    );
    return new PushSession(kind, connect, checked.session, subscriber).start(ended$);
  }, TRAITS);
  return read$.through((deliveries$) => deliveries$.pipe(map((delivery) => delivery.with(delivery.value.bytes))));
}
