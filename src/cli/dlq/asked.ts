import { nameOf, type OptionValues, textOf } from '../command.js';
import { suggestion } from '../suggestion.js';

/** What `rxflume dlq` is asked to do, and with which dead letters. */
export interface DlqAsked {
  readonly action: 'list' | 'show' | 'replay' | 'drop' | 'take';
  /** A root, a topic as `kafka://host:port/topic`, or a file that exports a store; of `take` the URL of a RabbitMQ broker. */
  readonly where: string;
  /** Of `show`: the place of a letter. */
  readonly place?: string;
  /** Of `replay`: the file of the flow. */
  readonly file?: string;
  /** Of `take`: the root that the letters are moved to, and the queue that has them. */
  readonly into?: string;
  readonly queue?: string;
  readonly filter: {
    readonly code?: string;
    readonly contains?: string;
    readonly since?: number;
    readonly stream?: string;
    readonly flow?: string;
  };
  /** Where it is kept what was replayed of a topic. */
  readonly replays?: string;
  readonly user?: string;
  readonly mode: 'webhdfs' | 'httpfs';
  /** Fields whose values are not printed; `*` for all. */
  readonly redact: readonly string[];
  readonly at?: number;
  readonly isDryRun: boolean;
  readonly isEdited: boolean;
  readonly isConfirmed: boolean;
  readonly takesOver: boolean;
  readonly isJson: boolean;
}

const ACTIONS = ['list', 'show', 'replay', 'drop', 'take'] as const;
/** What each action takes behind the root, and its own options. */
const OWN = {
  list: { argument: undefined, options: [] },
  show: { argument: 'the place of a dead letter, such as `bad.jsonl#12`', options: [] },
  replay: { argument: 'the file of the flow', options: ['at', 'dry-run', 'edit', 'take-over'] },
  drop: { argument: undefined, options: ['yes'] },
  take: { argument: 'the root that they are moved to', options: ['queue'] },
} as const;

/** Reads its arguments. Throws an `Error` that says what is wrong with one. */
export function readDlqArguments(given: readonly string[], options: OptionValues): DlqAsked {
  const [action, where, argument, ...rest] = given;
  if (!isAction(action))
    throw new Error(
      `\`dlq\` needs ${ACTIONS.map((one) => `\`${one}\``).join(', ')}, got \`${action ?? ''}\`${suggestion(action ?? '', ACTIONS)}`,
    );
  if (where === undefined) throw new Error(`\`dlq ${action}\` needs the root of the dead letters, or their topic`);
  const own = OWN[action];
  if (own.argument !== undefined && argument === undefined) throw new Error(`\`dlq ${action}\` needs ${own.argument}`);
  const more = own.argument === undefined ? argument : rest[0];
  if (more !== undefined) throw new Error(`\`dlq ${action}\` takes no further argument, got \`${more}\``);
  for (const [other, { options: theirs }] of Object.entries(OWN)) {
    const wrong = theirs.find((option) => other !== action && options[option] !== undefined);
    if (wrong !== undefined) throw new Error(`\`dlq ${action}\` has no option \`--${wrong}\`; \`dlq ${other}\` has`);
  }
  const [code, contains, stream, flow] = ['code', 'contains', 'stream', 'of-flow'].map((name) => nameOf(options, name));
  const since = sinceOf(textOf(options, 'since'));
  const queue = nameOf(options, 'queue');
  if (action === 'take') expectTaken(queue, options);
  const [replays, user, at] = [nameOf(options, 'replays'), nameOf(options, 'user'), stepOf(textOf(options, 'at'))];
  return {
    action,
    where,
    ...(action === 'show' && argument !== undefined && { place: argument }),
    ...(action === 'take' && argument !== undefined && queue !== undefined && { into: argument, queue }),
    ...(action === 'replay' && argument !== undefined && { file: argument }),
    filter: {
      ...(code !== undefined && { code }),
      ...(contains !== undefined && { contains }),
      ...(since !== undefined && { since }),
      ...(stream !== undefined && { stream }),
      ...(flow !== undefined && { flow }),
    },
    ...(replays !== undefined && { replays }),
    ...(user !== undefined && { user }),
    mode: modeOf(textOf(options, 'mode')),
    redact: (nameOf(options, 'redact') ?? '').split(',').filter(Boolean),
    ...(at !== undefined && { at }),
    isDryRun: options['dry-run'] === true,
    isEdited: options.edit === true,
    isConfirmed: options.yes === true,
    takesOver: options['take-over'] === true,
    isJson: options.json === true,
  };
}

/** All of a queue is moved: an option that chooses some would be in vain. */
function expectTaken(queue: string | undefined, options: OptionValues): void {
  if (queue === undefined) throw new Error('`dlq take` needs `--queue`');
  const others = ['code', 'contains', 'since', 'stream', 'of-flow', 'replays', 'redact'];
  const wrong = others.find((option) => options[option] !== undefined);
  if (wrong !== undefined) throw new Error(`\`dlq take\` moves all of a queue, and has no option \`--${wrong}\``);
}

function isAction(text: string | undefined): text is DlqAsked['action'] {
  return (ACTIONS as readonly (string | undefined)[]).includes(text);
}

function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (/^\d{4}-\d\d/.test(text) && !Number.isNaN(time)) return time;
  throw new Error(`expected \`--since\` to be a time such as 2026-03-02 or 2026-03-02T10:15:00Z, got \`${text}\``);
}

function stepOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new Error(`expected \`--at\` to be the number of a step of the flow, from 1, got \`${text}\``);
}

function modeOf(text = 'webhdfs'): 'webhdfs' | 'httpfs' {
  if (text === 'webhdfs' || text === 'httpfs') return text;
  throw new Error(`expected \`--mode\` to be webhdfs or httpfs, got \`${text}\``);
}
