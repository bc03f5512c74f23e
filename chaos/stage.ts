import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ages } from './ages.js';
import { Collectors } from './collectors.js';
import { Faults } from './faults.js';
import { removeLake } from './lake.js';
import type { Options } from './options.js';
import { type Plan, planOf, SESSION_TIMEOUT_MS } from './plan.js';
import { Proxies } from './proxies.js';
import { restart, type ServiceAddresses } from './services.js';
import { Topic } from './topic.js';

/** What one run has of its own. */
export interface Stage {
  readonly options: Options;
  readonly addresses: ServiceAddresses;
  readonly plan: Plan;
  readonly stop: AbortSignal;
  readonly topic: Topic;
  readonly groupId: string;
  /** The root in HDFS. */
  readonly lake: string;
  readonly proxies: Proxies;
  readonly collectors: Collectors;
  readonly faults: Faults;
  readonly ages: Ages;
  /** Into the journal, which is kept where a run fails. */
  readonly note: (line: string) => void;
  /** To whoever runs this. */
  readonly say: (line: string) => void;
  /** What is not as it must be, beside the counts. */
  readonly complaints: string[];
  /** Ends all that was started, and removes what was made unless it is to be looked at. */
  close(isGood: boolean): Promise<void>;
}

export async function setStage(
  seed: number,
  options: Options,
  addresses: ServiceAddresses,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<Stage> {
  const plan = planOf(seed, options);
  const name = `chaos-${seed}-${Date.now().toString(36)}`;
  const lake = `/lake/${name}`;
  const groupId = `${name}-group`;
  const folder = mkdtempSync(join(tmpdir(), `rxflume-${name}-`));
  const journal = createWriteStream(join(folder, 'journal.log'));
  const note = (line: string) => {
    const stamped = `${new Date().toISOString()} ${line}`;
    journal.write(`${stamped}\n`);
    if (options.verbose) say(`  ${stamped}`);
  };
  for (const fault of plan.faults) journal.write(`planned ${JSON.stringify(fault)}\n`);

  const complaints: string[] = [];
  const topic = new Topic(name, addresses.brokers);
  const proxies = new Proxies(note);
  const doors = await Promise.all(Array.from({ length: plan.collectors }, (_, slot) => proxies.open(slot, addresses)));
  const collectors = new Collectors(doors, {
    folder,
    env: {
      CHAOS_TOPIC: name,
      CHAOS_GROUP: groupId,
      CHAOS_ROOT: lake,
      CHAOS_FORMAT: options.format,
      CHAOS_GUARANTEE: options.atLeastOnce ? 'at-least-once' : 'exactly-once',
      CHAOS_SESSION_MS: String(SESSION_TIMEOUT_MS),
      CHAOS_DATANODE_NAMED: `${addresses.dataNode.host}:${addresses.dataNode.port}`,
    },
    gaveUp: (slot, code, error) => {
      note(`collector ${slot} gave up with ${code}: ${error}`);
      complaints.push(`collector ${slot} gave up with exit code ${code}, and was started again: ${error}`);
    },
  });
  const faults = new Faults({ proxies, collectors, restart, say: note });

  const close = async (isGood: boolean) => {
    await collectors.close();
    await faults.settled();
    await proxies.close();
    await new Promise((resolve) => journal.end(resolve));
    if (isGood && !options.keep) {
      rmSync(folder, { recursive: true });
      await Promise.all([topic.remove(), removeLake(lake)]);
    } else say(`  seed ${seed}; logs: ${folder}; topic ${name}, folder ${lake}`);
  };
  return {
    options,
    addresses,
    plan,
    stop,
    topic,
    groupId,
    lake,
    proxies,
    collectors,
    faults,
    ages: new Ages(),
    note,
    say,
    complaints,
    close,
  };
}
