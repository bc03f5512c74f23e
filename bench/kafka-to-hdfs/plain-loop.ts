// The plain loop: kafkajs eachBatch and one WebHDFS PUT a partition and 64 MiB, no acks, no commits, no framework.
import { once } from 'node:events';
import http from 'node:http';
import { Kafka, logLevel } from 'kafkajs';
import { startMeasure } from './measure.js';

const [topic = '', count = '', group = ''] = process.argv.slice(2);
const nameNode = process.env.RXFLUME_HDFS_URL ?? '';
const newLine = Buffer.from('\n');
const rollBytes = 64 * 1024 * 1024;

interface Upload {
  readonly request: http.ClientRequest;
  readonly answered: Promise<number>;
  bytes: number;
}

async function create(path: string): Promise<Upload> {
  const answer = await fetch(`${nameNode}/webhdfs/v1${path}?op=CREATE&noredirect=true&user.name=flume`, {
    method: 'PUT',
  });
  const { Location: location } = (await answer.json()) as { Location: string };
  const request = http.request(location, { method: 'PUT', agent: false });
  const answered = new Promise<number>((resolve, reject) => {
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
  });
  return { request, answered, bytes: 0 };
}

async function close(upload: Upload): Promise<void> {
  upload.request.end();
  const status = await upload.answered;
  if (status !== 201) throw new Error(`PUT answered ${status}`);
}

const uploads = new Map<number, Upload>();
let files = 0;
let records = 0;
const done = startMeasure();
const kafka = new Kafka({
  brokers: (process.env.RXFLUME_KAFKA_BROKERS ?? '').split(','),
  logLevel: logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 200 });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
const finished = new Promise<void>((resolve) => {
  void consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      let upload = uploads.get(batch.partition);
      if (upload === undefined) {
        files += 1;
        upload = await create(`/lake/bench/${group}/${batch.partition}-${files}`);
        uploads.set(batch.partition, upload);
      }
      const parts: Buffer[] = [];
      for (const message of batch.messages) {
        if (message.value !== null) parts.push(message.value, newLine);
      }
      const chunk = Buffer.concat(parts);
      upload.bytes += chunk.length;
      if (!upload.request.write(chunk)) await once(upload.request, 'drain');
      if (upload.bytes >= rollBytes) {
        uploads.delete(batch.partition);
        await close(upload);
      }
      records += batch.messages.length;
      if (records >= Number(count)) resolve();
    },
  });
});
await finished;
for (const upload of uploads.values()) await close(upload);
done(records);
process.exit(0);
