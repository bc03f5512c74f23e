// What the inputs beside message brokers cost: npm run bench -- inputs [tail] [--lines <n> --bytes <n> --rounds <n>]
import { parseArgs } from 'node:util';
import { benchTail } from './tail.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lines: { type: 'string', default: '1000000' },
    bytes: { type: 'string', default: '120' },
    rounds: { type: 'string', default: '5' },
  },
});
const [lines, bytes, rounds] = [values.lines, values.bytes, values.rounds].map(Number) as [number, number, number];
if (positionals.length === 0 || positionals.includes('tail')) await benchTail({ lines, bytes, rounds });
