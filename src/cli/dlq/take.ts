import { exhaustMap, filter, take as first, fromEvent, interval, lastValueFrom, map, merge, reduce, tap } from 'rxjs';
import { drainOn } from '../../../operators/index.js';
import { monotonicMs } from '../../core/clock.js';
import { type DeadLetter, deadLetterQueue } from '../../dead-letters/index.js';
import { flow } from '../../flow/flow.js';
import { jsonLines } from '../../formats/json-lines.js';
import { fileSink } from '../../sinks/files/file-sink.js';
import type { CommandContext } from '../command.js';
import type { DlqAsked } from './asked.js';
import { openRoot, wrongUse } from './store-of.js';

/** How soon messages are acked: with the file that holds them. */
const FILE_MS = 5_000;
/** It is at the end when the queue has none that is ready and none has come for so long. */
const QUIET_MS = 1_000;

/** Moves the messages of a queue of RabbitMQ to a root, as dead letters; ends when the queue is empty, or at a signal. */
export async function take(asked: DlqAsked, context: CommandContext): Promise<number> {
  const { where, into = '', queue = '', isJson } = asked;
  const driver = await driverOf(where, context.env);
  const { fs, root } = await openRoot(into, asked, context);
  let lastMs = monotonicMs();
  const letters$ = deadLetterQueue(driver, { queue }).through((deliveries$) =>
    deliveries$.pipe(
      tap(() => {
        lastMs = monotonicMs();
      }),
    ),
  );
  const empty$ = interval(QUIET_MS).pipe(
    exhaustMap(() => driver.countReady?.(queue) ?? [0]),
    filter((ready) => ready === 0 && monotonicMs() - lastMs >= QUIET_MS),
    map(() => undefined),
  );
  const signals$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
  const sink = fileSink<DeadLetter>(fs, { root, format: jsonLines(), roll: { intervalMs: FILE_MS } });
  const moving$ = flow('dlq-take', letters$, sink.write()).pipe(drainOn(merge(empty$, signals$).pipe(first(1))));
  const taken = await lastValueFrom(moving$.pipe(reduce((sum, { values }) => sum + values, 0)));
  const at = root === '' ? '/' : root;
  context.out.write(
    isJson
      ? `${JSON.stringify({ taken, queue, into: at })}\n`
      : `Moved ${taken} dead letters of queue ${queue} to ${at}. \`rxflume dlq list\` shows them.\n`,
  );
  return 0;
}

async function driverOf(url: string, env: CommandContext['env']) {
  const { amqplib } = await import('../../drivers/amqplib/index.js');
  // What is before an @ may be a secret, and the arguments of a process are for all to see.
  if (url.includes('@'))
    throw wrongUse('Expected no user in the URL: set RXFLUME_AMQP_USER and RXFLUME_AMQP_PASSWORD.');
  const { RXFLUME_AMQP_USER: user, RXFLUME_AMQP_PASSWORD: password } = env;
  return amqplib({ urls: [url], ...(user && { user }), ...(password && { password }) });
}
