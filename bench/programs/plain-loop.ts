// The plain loop: kafkajs eachBatch and one WebHDFS PUT a partition and roll, no acks, no commits, no framework.
import { Kafka, logLevel } from 'kafkajs';
import { type LoopTask, perform } from './perform.js';
import { Rolling } from './rolling.js';

const newLine = Buffer.from('\n');

perform<LoopTask>(async (task, stage) => {
  const kafka = new Kafka({ brokers: [task.broker], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: task.run, maxWaitTimeInMs: 200 });
  const files = new Rolling(task, stage);
  let records = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  void stage.stopped.then(finish);
  await consumer.connect();
  await consumer.subscribe({ topic: task.topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      if (task.isWriting) {
        const parts: Buffer[] = [];
        for (const { value } of batch.messages) if (value !== null) parts.push(value, newLine);
        await files.write(batch.partition, Buffer.concat(parts));
      }
      records += batch.messages.length;
      if (task.isTelling) stage.seen(records);
      if (records >= (task.records ?? Number.POSITIVE_INFINITY)) finish();
    },
  });
  await finished;
  await files.end();
  return records;
});
