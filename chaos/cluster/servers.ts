import { cluster, KafkaCluster, startCluster } from '../../test/live/cluster.js';
import { pause } from '../pause.js';
import type { Step } from './plan.js';

/** Each partition first at another broker. */
export const HOME = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
] as const;

/** The nodes of all three clusters, and what can be done to them. */
export class Servers {
  readonly kafka: KafkaCluster;
  readonly rabbitmq: readonly string[];
  readonly nameNodes: string;

  private constructor(kafka: KafkaCluster, rabbitmq: readonly string[], nameNodes: string) {
    this.kafka = kafka;
    this.rabbitmq = rabbitmq;
    this.nameNodes = nameNodes;
  }

  static async start(): Promise<Servers> {
    const kafka = await KafkaCluster.start();
    const rabbitmq = (await startCluster('rabbitmq')).split(',');
    return new Servers(kafka, rabbitmq, await startCluster('hdfs'));
  }

  async stop(): Promise<void> {
    await cluster('stop');
  }

  /** Does a fault, waits, and undoes it. `topics` are those whose leaders are moved. */
  async suffer({ fault, which, forMs }: Step, topics: readonly string[], signal: AbortSignal): Promise<void> {
    const wait = () => pause(forMs, signal);
    const broker = `kafka${(which % 3) + 1}`;
    const node = `rabbitmq${(which % 3) + 1}`;
    const dataNode = `datanode${(which % 2) + 1}`;
    switch (fault) {
      case 'kill a broker':
        return around(['kill', broker], wait, ['start', broker]);
      case 'hang a broker':
        return around(['pause', broker], wait, ['resume', broker]);
      case 'cut a broker off':
        return around(['cut', broker], wait, ['join', broker]);
      case 'kill all brokers':
        return around(['kill', 'kafka'], wait, ['start', 'kafka']);
      case 'kill a RabbitMQ node':
        return around(['kill', node], wait, ['start', node]);
      case 'hang a RabbitMQ node':
        return around(['pause', node], wait, ['resume', node]);
      case 'kill a DataNode':
        return around(['kill', dataNode], wait, ['start', dataNode]);
      case 'hang a DataNode':
        return around(['pause', dataNode], wait, ['resume', dataNode]);
      case 'move the leaders':
        for (const topic of topics)
          await this.kafka.move(
            topic,
            HOME.map(([a, b, c]) => [b, c, a]),
          );
        await wait();
        for (const topic of topics) await this.kafka.move(topic, HOME);
        return;
      case 'kill the active NameNode':
      case 'switch the NameNodes':
        return this.#failOver(fault === 'kill the active NameNode');
    }
  }

  async #failOver(isKilled: boolean): Promise<void> {
    const active = (await cluster('active')).trim();
    if (isKilled) await cluster('kill', active);
    await cluster('activate', active === 'namenode1' ? 'namenode2' : 'namenode1');
    if (isKilled) await cluster('start', active);
  }
}

/** What undoes it is done in any case. */
async function around(begin: readonly string[], wait: () => Promise<void>, end: readonly string[]): Promise<void> {
  await cluster(...begin);
  try {
    await wait();
  } finally {
    await cluster(...end);
  }
}
