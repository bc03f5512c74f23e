// A bare confirm channel of amqplib: up to 2,000 messages unconfirmed, and none while it wants to drain.
import amqp from 'amqplib';
import { startMeasure } from '../lab/measure.js';

const MOST = 2_000;
const [queue = '', count = '', bytes = '', kind = ''] = process.argv.slice(2);
const connection = await amqp.connect(process.env.RXFLUME_RABBITMQ_URL ?? '', { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertQueue(queue, { arguments: { 'x-queue-type': kind } });
const content = Buffer.alloc(Number(bytes), 'x');
const done = startMeasure();
let sent = 0;
let confirmed = 0;
let canWrite = true;
const publish = () => {
  while (canWrite && sent < Number(count) && sent - confirmed < MOST) {
    sent += 1;
    // The same message as the sink's, which gives each an id.
    const options = { persistent: true, mandatory: true, messageId: `made@${sent}` };
    canWrite = channel.publish('', queue, content, options, answered);
  }
};
const answered = (error: unknown) => {
  if (error) throw error;
  confirmed += 1;
  if (confirmed < Number(count)) {
    publish();
    return;
  }
  done(confirmed);
  process.exit(0);
};
channel.on('drain', () => {
  canWrite = true;
  publish();
});
publish();
