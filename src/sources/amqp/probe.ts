import { from, mergeMap } from 'rxjs';
import { type Probe, probes, rightBy } from '../../delivery/probe.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';

/** How many queues are asked about at once. */
const AT_ONCE = 4;

/** Looks at the brokers, and whether each queue is there to be read; it consumes nothing. */
export function probeOf(driver: AmqpConsumerDriver, queues: readonly string[], isDeclared: boolean): Probe | undefined {
  const { countReady } = driver;
  const otherwise = isDeclared ? 'the flow declares it at its first start' : 'create it, or set `declare`';
  const queuesProbe: Probe | undefined =
    countReady &&
    (() =>
      from(queues).pipe(
        mergeMap((queue) => {
          const fix = `Check the user, the password, its rights (rabbitmqctl list_permissions) and the queue: ${otherwise}.`;
          return rightBy({ action: 'find the queue', on: queue, fix }, () => countReady.call(driver, queue));
        }, AT_ONCE),
      ));
  return probes(driver.probe, queuesProbe);
}
