// RabbitMQ both ways, each contestant in a program of its own, in turn: a publisher fills a queue, then a consumer empties
// it. What one publishes the other consumes, so that neither has the fuller queue. Rates count from the first message to
// the last confirm, or the last message; CPU is the contestant's own, the broker's is not in it.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compiled } from '../lab/compiled.js';

const services = fileURLToPath(new URL('../../scripts/services', import.meta.url));
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    bytes: { type: 'string', default: '200' },
    kind: { type: 'string', default: 'classic' },
  },
});
const messages = Number(values.messages);
const rounds = Number(values.rounds);

interface Result {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

execFileSync(services, ['up', 'rabbitmq'], { stdio: ['ignore', 'ignore', 'inherit'] });
// Its exit code is of all services, and this needs one.
const { stdout } = spawnSync(services, ['status', '--env'], { encoding: 'utf8' });
for (const line of stdout.trim().split('\n')) {
  const [name = '', value = ''] = line.split('=', 2);
  process.env[name] = value.replace(/^['"]|['"]$/g, '');
}

const PLAIN = 'plain loop';
const scripts: Readonly<Record<string, readonly string[]>> = {
  publish: ['rxflume', PLAIN],
  // A loop that acks each message, and one that acks as many together as the source does.
  consume: ['rxflume', PLAIN, 'plain loop, acks of 500'],
};
const results = new Map<string, Result[]>();

function run(what: string, name: string, queue: string): void {
  const kind = name === 'rxflume' ? 'rxflume' : 'plain';
  const ackEach = name.endsWith('500') ? 500 : 1;
  const args = [
    compiled(`rabbitmq/${what}-${kind}`),
    queue,
    String(messages),
    values.bytes,
    values.kind,
    String(ackEach),
  ];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 300_000 });
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (child.status !== 0 || !line.startsWith('{')) throw new Error(`${what} ${name}: ${child.stdout}\n${child.stderr}`);
  const result = JSON.parse(line) as Result;
  if (result.records !== messages) throw new Error(`${what} ${name}: ${result.records} of ${messages} messages`);
  const key = `${what} ${name}`;
  results.set(key, [...(results.get(key) ?? []), result]);
}

console.log(
  `${messages} messages of ${values.bytes} bytes, persistent, ${values.kind} queue, prefetch 1,000, at most 2,000 unconfirmed; ` +
    `${cpus().length} cores, Node ${process.versions.node}`,
);
const [publishers = [], consumers = []] = [scripts.publish, scripts.consume];
for (let round = 0; round < rounds; round += 1) {
  for (const [at, consumer] of consumers.entries()) {
    const queue = `bench-${Date.now()}-${round}-${at}`;
    run('publish', publishers[(round + at) % publishers.length] as string, queue);
    run('consume', consumer, queue);
    execFileSync(services, ['rabbitmqctl', 'delete_queue', queue], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  console.log(`  round ${round + 1} of ${rounds} is over`);
}

for (const [what, names] of Object.entries(scripts)) {
  console.log(`\n${what.padEnd(26)} messages/s  CPU µs/message  medians of ${rounds} rounds`);
  for (const name of names) {
    const rate = median(what, name, (one) => one.records / one.seconds);
    const cpu = median(what, name, (one) => (one.cpuSeconds * 1e6) / one.records);
    const toPlain = names
      .filter((other) => other !== name && name === 'rxflume')
      .map((other) => `${(rate / median(what, other, (one) => one.records / one.seconds)).toFixed(2)} × ${other}`);
    console.log(
      `  ${name.padEnd(24)} ${Math.round(rate).toLocaleString('en-US').padStart(10)}  ${cpu.toFixed(2).padStart(14)}  ${toPlain.join(', ')}`,
    );
  }
}

function median(what: string, name: string, of: (one: Result) => number): number {
  const sorted = (results.get(`${what} ${name}`) ?? []).map(of).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle - 1)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
