// What the inputs beside message brokers cost: npm run bench -- inputs [tail] [http] [--lines <n> --bytes <n> --seconds <n> --rounds <n>]
import { parseArgs } from 'node:util';
import { benchHttp } from './http.js';
import { benchTail } from './tail.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string', default: '1000000' },
    bytes: { type: 'string', default: '120' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
  },
});
const [lines, bytes, rounds, seconds] = [values.lines, values.bytes, values.rounds, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
];
if (positionals.length === 0 || positionals.includes('tail')) await benchTail({ lines, bytes, rounds });
if (positionals.length === 0 || positionals.includes('http')) await benchHttp({ bytes, rounds, seconds });
