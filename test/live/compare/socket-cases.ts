import { join } from 'node:path';
import type { Case } from './case.js';
import { hdfsLines, localLines } from './outcome.js';

const LINE = '{kind=line, word=none}';

export const NETCAT: Case = {
  name: 'netcat',
  flows: ['a1-netcat'],
  puts: { netcatC: 8 },
  async feed(side) {
    const lines = [
      'word:42 hello',
      'DEBUG skip me',
      'card 4111111111111111.',
      'plain',
      '',
      'grüße:7',
      `x:1 ${'y'.repeat(195)}`,
    ];
    const inputs = [
      `${lines.join('\n')}\n`,
      'with cr\r\n',
      Buffer.from('caf\xe9 au lait\n', 'latin1'),
      'ended\nnot ended',
      `${'z'.repeat(250)}\nbehind\n`,
    ];
    const answers: string[] = [];
    for (const input of inputs) answers.push((await side.send('NETCAT', input)).trim().replaceAll('\n', ' '));
    return answers.map((answer, at) => `answer ${at}: ${answer}`);
  },
  outcome: ({ dir }) => localLines(join(dir, 'netcat')),
  differences: [
    {
      row: 'netcat: no answer',
      flume: ['answer 0: OK OK OK OK OK OK OK', 'answer 1: OK', 'answer 3: OK'],
      rxflume: ['answer 0: ', 'answer 1: ', 'answer 3: '],
    },
    { row: 'a CR before the LF', flume: [`${LINE} with cr\\r`], rxflume: [`${LINE} with cr`] },
    { row: 'netcat: bytes that are not UTF-8', flume: [], rxflume: [`${LINE} caf\\ufffd au lait`] },
    { row: 'netcat: a last line without LF', flume: [], rxflume: [`${LINE} not ended`] },
    {
      row: 'netcat: a line that is too long',
      flume: ['answer 4: FAILED: Event exceeds the maximum length (200 chars, including newline)'],
      rxflume: ['answer 4: ', `${LINE} ${'z'.repeat(200)}`, `${LINE} behind`],
    },
  ],
};

const FRACTIONS = '/host=web2/severity=5 | {Facility=1, Severity=5, host=web2';

export const SYSLOG: Case = {
  name: 'syslog',
  flows: ['a1-syslog'],
  puts: { syslogC: 11 },
  async feed(side) {
    const lines = [
      '<34>Nov 20 22:14:15 web1 su[12]: failed for grüße',
      '<13>1 2026-11-20T10:00:00Z web2 app 12 ID1 [x@1 a="b"] with data',
      '<13>1 2026-11-20T10:00:00+02:00 web2 app - - - with a zone',
      '<191>1 - - app - - - no time, no host',
      '<13>1 2026-11-20T10:00:00 web3 app - - - without a zone',
      '<30>Nov  5 01:02:03 web1 cron: one digit',
      'no priority at all',
      '<999>1 2026-11-20T10:00:00Z web2 app - - - a priority that is none',
    ];
    for (const line of lines) await side.send('SYSLOG', `${line}\n`);
    await side.send('SYSLOG', '<13>1 2026-11-20T10:00:00.250+02:00 web2 app - - - fractions\n');
    await side.send('SYSLOG', '<13>1 2026-11-20T10:00:00Z web2 app - - - first\n<14>free text behind it\n');
    return [];
  },
  outcome: ({ root }) => hdfsLines(`${root}/syslog`),
  differences: [
    {
      row: 'syslogtcp: a time with fractions of a second',
      flume: [
        `${FRACTIONS}, priority=13, timestamp=${Date.UTC(2026, 10, 20, 9, 0, 0, 250)}, version=1} app - - - fractions`,
      ],
      rxflume: [
        `${FRACTIONS}, priority=13, timestamp=${Date.UTC(2026, 10, 20, 8, 0, 0, 250)}, version=1} app - - - fractions`,
      ],
    },
    {
      row: 'syslogtcp: a message that cannot be read',
      flume: ['/host=/severity=6 | {Facility=1, Severity=6, priority=13, version=1} <14>free text behind it'],
      rxflume: ['/host=/severity=6 | {Facility=1, Severity=6} <14>free text behind it'],
    },
  ],
};

export const MULTIPORT: Case = {
  name: 'multiport',
  flows: ['a1-multiport'],
  puts: { multiportC: 5 },
  async feed(side) {
    await side.send('PORT1', '<34>Nov 20 22:14:15 web1 su: failed for grüße\n');
    await side.send('PORT1', '<13>1 2026-11-20T10:00:00.25+02:00 web2 app - - - fractions\n');
    await side.send('PORT2', '<13>1 - - app - - - nothing known\n');
    await side.send('PORT2', 'no priority\n<14>free text\n');
    return [];
  },
  outcome: (side) =>
    localLines(join(side.dir, 'multiport')).map((line) =>
      line
        .replace(`port=${side.port('PORT1')}`, 'port=1')
        .replace(`port=${side.port('PORT2')}`, 'port=2')
        .replace(/timestamp=(\d+)/, (all, time) =>
          Math.abs(Number(time) - Date.now()) < 300_000 ? 'timestamp=now' : all,
        ),
    ),
};
