import { firstValueFrom } from 'rxjs';
import { type AmqpCheck, type AmqpSubject, amqpCheck, isReady, numbered } from './amqp-subject.js';
import { equal, freshName } from './checking.js';

/** What a driver that can say how much a queue has must do; part of `amqpConsumerContract`. */
export const amqpBacklogContract: readonly AmqpCheck[] = [
  amqpCheck('says how many messages of a queue are ready, beside what is out', async ({ subject, queue, consume }) => {
    const name = await queue();
    await subject.send(name, numbered(5));
    await isReady(subject, name, 5);
    equal(await countReady(subject, name), 5, 'ready');
    const trace = consume(name, { prefetch: 2 });
    await trace.quiet(2);
    equal(await countReady(subject, name), 3, 'ready beside what is out');
    equal(trace.error, undefined, 'error of the consumer');
  }),
  amqpCheck(
    'fails to say it of a queue that is not there, and harms no consumer',
    async ({ subject, queue, consume }) => {
      const name = await queue();
      const trace = await consume(name).ready();
      const missing = await countReady(subject, freshName('missing')).catch(
        (error: unknown) => (error as { code?: string }).code,
      );
      equal(missing, 'RXF_AMQP_MISSING', 'code');
      await subject.send(name, numbered(1));
      await trace.quiet(1);
    },
  ),
];

async function countReady({ driver }: AmqpSubject, queue: string): Promise<number> {
  if (driver.countReady === undefined) throw new Error('it has no countReady');
  return firstValueFrom(driver.countReady(queue));
}
