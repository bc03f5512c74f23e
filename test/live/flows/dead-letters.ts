// What the live test of dead letters runs: numbers from Kafka to HDFS or a topic; what the codec of the day rejects goes to HDFS, or to a topic.
import { type DeadLetter, fileSink, flow, json, jsonLines, kafkaSink, kafkaSource } from 'rxflume';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { decode, retryConnect } from 'rxflume/operators';

const env = (name: string) => process.env[name] ?? '';
const isFixed = env('TEST_FIXED') === 'true';

/** Numbers; texts of digits only since the codec was corrected. */
function numbered(bytes: Buffer | null): { n: number } {
  const { n } = json()(bytes ?? Buffer.from('')) as { n: unknown };
  if (typeof n === 'number') return { n };
  if (isFixed && typeof n === 'string' && /^\d+$/.test(n)) return { n: Number(n) };
  throw new Error('n is no number');
}

const kafka = kafkajs({ brokers: env('TEST_BROKERS').split(',') });
const hdfs = webhdfs({ nameNodes: [env('TEST_NAMENODE')], user: 'hdfs' });
const source = { topics: [env('TEST_TOPIC')], groupId: env('TEST_TOPIC') };
const lake = fileSink<{ n: number }>(hdfs, {
  root: `${env('TEST_ROOT')}/lake`,
  path: ({ n }) => `mod=${n % 2}`,
  format: jsonLines(),
});
const badFiles = fileSink<DeadLetter>(hdfs, { root: `${env('TEST_ROOT')}/bad`, format: jsonLines() });
const badTopic = kafkaSink<DeadLetter>(kafka, {
  topic: env('TEST_BAD_TOPIC') || 'unused',
  encode: (letter) => JSON.stringify(letter),
});
const clean = kafkaSink<{ n: number }>(kafka, {
  topic: env('TEST_CLEAN_TOPIC') || 'unused',
  encode: (value) => JSON.stringify(value),
});

export default env('TEST_BAD_TOPIC') === ''
  ? flow(
      'numbers',
      kafkaSource(kafka, { ...source, resumeFrom: lake.offsetStore }).pipe(retryConnect()),
      decode(numbered, { deadLetter: badFiles.write() }),
      lake.write(),
    )
  : flow(
      'numbers',
      kafkaSource(kafka, { ...source, resumeFrom: clean.offsetStore }).pipe(retryConnect()),
      decode(numbered, { deadLetter: badTopic.write() }),
      clean.write(),
    );
