// The source of RabbitMQ, whose deliveries are acked at once.
import { amqpSource } from 'rxflume';
import { amqplib } from 'rxflume/drivers/amqplib';
import { startMeasure } from '../lab/measure.js';

const [queue = '', count = ''] = process.argv.slice(2);
const url = process.env.RXFLUME_RABBITMQ_URL ?? '';
let messages = 0;
let done = startMeasure();
const subscription = amqpSource(amqplib({ urls: [url] }), { queues: [queue], prefetch: 1_000 }).subscribe({
  next: (delivery) => {
    if (messages === 0) done = startMeasure();
    messages += 1;
    delivery.ack();
    if (messages < Number(count)) return;
    done(messages);
    subscription.unsubscribe();
  },
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
