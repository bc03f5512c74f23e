import { command } from '../command.js';
import { type DlqAsked, readDlqArguments } from '../dlq/asked.js';

export const dlq = command<DlqAsked>({
  name: 'dlq',
  usage: [
    'dlq list <root or topic> [--json]',
    'dlq show <root or topic> <place>',
    'dlq replay <root or topic> <file> [--dry-run] [--edit] [--code <code>] …',
    'dlq drop <root or topic> [--code <code>] … --yes',
    'dlq take <amqp URL> <root> --queue <name>',
  ],
  summary:
    'list dead letters by cause, move those of RabbitMQ to files, try them with the flow of today, edit, replay them once, or drop them',
  options: {
    code: { type: 'string' },
    contains: { type: 'string' },
    since: { type: 'string' },
    stream: { type: 'string' },
    'of-flow': { type: 'string' },
    replays: { type: 'string' },
    queue: { type: 'string' },
    user: { type: 'string' },
    mode: { type: 'string' },
    redact: { type: 'string' },
    at: { type: 'string' },
    'dry-run': { type: 'boolean' },
    edit: { type: 'boolean' },
    yes: { type: 'boolean' },
    'take-over': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionsHelp: [
    '--code <code>          only those with this error, or with this behind it',
    '--contains <text>      only those whose message, key or value contains it',
    '--since <time>         only those set aside since, such as 2026-03-02T10:00:00Z',
    '--stream <name>        only those of this stream, or of all that begin so: kafka:chat/*',
    '--of-flow <name>       only those that this flow set aside',
    '--replays <root>       of a topic: a folder in which it is kept what was replayed, always the same one',
    '--user <name>          the HDFS user (default: HADOOP_USER_NAME)',
    '--mode httpfs          the host is an HttpFS server, not a NameNode',
    '--redact <fields>      print *** for these fields, separated by commas: of JSON values, and headers; * for all values',
    '--json                 print one JSON object, for programs',
    '--dry-run              of replay: say what the flow would do with each, and write nothing',
    '--edit                 of replay: change them in $EDITOR before',
    '--at <n>               of replay: let all enter the flow at its nth step',
    '--take-over            of replay: finish a replay that was interrupted on another host',
    '--queue <name>         of take: the queue of RabbitMQ whose messages are moved to <root>',
    '--yes                  of drop: drop them, and not only count them',
  ],
  notes: `<root or topic> is the root of a file sink of dead letters, as of ledger, kafka://host:port,host:port/topic, or a file that
exports a store, such as deadLetterTopic(…) with TLS and SASL. A queue of RabbitMQ is moved to a root first, by take. A replay goes
through the flow that <file> exports, into its own sink; a second one replays nothing again.`,
  exitCodes: '0 done, 1 failed, 3 some were set aside again or stay',
  example: 'rxflume dlq replay webhdfs://nn1:9870/lake/chat-bad flow.ts --code RXF_DECODE_SHAPE --dry-run',
  read: readDlqArguments,
  async run(asked, context) {
    const { dlq: act } = await import('../dlq/dlq.js');
    return act(asked, context);
  },
});
