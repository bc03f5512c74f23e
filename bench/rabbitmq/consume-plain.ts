// A bare channel of amqplib that acks each message, or many together.
import amqp from 'amqplib';
import { startMeasure } from '../lab/measure.js';

const [queue = '', count = '', , , ackEach = ''] = process.argv.slice(2);
const every = Number(ackEach);
const connection = await amqp.connect(process.env.RXFLUME_RABBITMQ_URL ?? '', { noDelay: true });
const channel = await connection.createChannel();
await channel.prefetch(1_000);
let messages = 0;
let done = startMeasure();
await channel.consume(queue, (message) => {
  if (message === null) throw new Error('cancelled');
  if (messages === 0) done = startMeasure();
  messages += 1;
  const isLast = messages === Number(count);
  if (messages % every === 0 || isLast) channel.ack(message, every > 1);
  if (!isLast) return;
  done(messages);
  void connection.close().then(() => process.exit(0));
});
