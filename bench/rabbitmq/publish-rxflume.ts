// The sink of RabbitMQ, over a source that makes the same message again and again.
import amqp from 'amqplib';
import { type Acker, amqpSink, Delivery, type FlushSignal, flow, Source } from 'rxflume';
import { amqplib } from 'rxflume/drivers/amqplib';
import { Subject } from 'rxjs';
import { startMeasure } from '../lab/measure.js';

/** The most deliveries that are out and not settled; above what the sink has under way. */
const WINDOW = 2_500;
const [queue = '', given = '', bytes = '', kind = ''] = process.argv.slice(2);
const count = Number(given);
const url = process.env.RXFLUME_RABBITMQ_URL ?? '';
const setUp = await amqp.connect(url);
await (await setUp.createChannel()).assertQueue(queue, { arguments: { 'x-queue-type': kind } });
await setUp.close();

const content = Buffer.alloc(Number(bytes), 'x');
let done = startMeasure();
let hasBegun = false;
let acked = 0;
const source = new Source<Delivery<Buffer>>((subscriber) => {
  let offset = 0;
  const acker: Acker = {
    flush$: new Subject<FlushSignal>(),
    ack: (first, next) => {
      // The connection is made by now, as the plain loop has made its own before it begins.
      if (!hasBegun) done = startMeasure();
      hasBegun = true;
      acked += next - first;
      if (acked === count) {
        done(acked);
        process.exit(0);
      }
      emit();
    },
    nack: (_first, _next, cause) => {
      throw cause;
    },
    release: () => {},
    hold: () => {},
  };
  let isEmitting = false;
  const emit = () => {
    if (isEmitting) return;
    isEmitting = true;
    while (offset < count && offset - acked < WINDOW) {
      const origin = { stream: 'made', offset, epoch: 1, byteLength: content.length };
      const delivery = new Delivery(content, origin, acker, offset);
      offset += 1;
      subscriber.next(delivery);
    }
    isEmitting = false;
  };
  emit();
});
const sink = amqpSink<Buffer>(amqplib({ urls: [url] }), { routingKey: queue, maxInFlight: 2_000 });
flow('bench', source, sink.write()).subscribe({
  error: (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
});
