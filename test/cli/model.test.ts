import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandOf, readArguments } from '../../src/cli/arguments.js';
import type { CommandContext } from '../../src/cli/command.js';
import { reviews } from '../text/texts.js';
import { fitting } from './json-schema.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-model-'));
const model = join(folder, 'sentiment.rxtm');
const topics = join(folder, 'topics.rxtm');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function printed(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const { verb, ...asked } = readArguments(['model', ...args]);
  const code = await commandOf(verb).run(asked, {
    out: { write: (text: string) => (out += text) } as unknown as CommandContext['out'],
    err: { write: (text: string) => (err += text) } as unknown as CommandContext['err'],
    ...{ env: {}, cwd: folder, log: () => undefined as never },
  });
  return { code, out, err };
}

function file(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), lines.join('\n'));
  return join(folder, name);
}

const reviewLines = reviews().map(({ text, labels: [label] }) => JSON.stringify({ text, label }));
const trained = ['--source', 'made up', '--licence', 'CC0'];

beforeAll(async () => {
  const train = await printed('train', file('r.jsonl', reviewLines), '--kind', 'sentiment', '--out', model, ...trained);
  expect(train).toMatchObject({ code: 0, err: '' });
});

describe('rxflume model', () => {
  it('trains from JSON lines or CSV, and prints the data card', async () => {
    const csv = file('topics.csv', [
      'id,label,text\r',
      ...Array.from({ length: 8 }, (_, n) => [
        `${n},refund,"money back,\nfor order ${String.fromCharCode(97 + n)}"\r`,
        `${n},delivery | refund,money back and a parcel ${String.fromCharCode(97 + n)}\r`,
        `${n},,thanks ${String.fromCharCode(97 + n)}\r`,
      ]).flat(),
      '',
    ]);
    const args = ['--kind', 'topics', '--out', topics, ...trained, '--limits', 'finance', '--seed', '3'];
    const { code, out } = await printed('train', csv, ...args);
    expect(code).toBe(0);
    expect(out).toMatch(
      /topics, version [0-9a-f]{12}, \d+ bytes\ntexts: 24; 0 duplicates.*source: made up.*limits: finance/s,
    );
    const explained = await printed('explain', topics, 'money back, please', '--count', '2');
    expect(explained.out).toMatch(/^refund \(model [0-9a-f]{12}\)\n.* delivery {2}".*\n.*\n +\+.* refund {2}"/);
    expect(existsSync(`${topics}.part`)).toBe(false);
  });

  it('evaluates on other texts, and explains', async () => {
    const other = file('o.jsonl', [
      '{"text":"good stew","label":"positive"}',
      '{"text":"good","label":"negative"}',
      '',
    ]);
    const { code, out } = await printed('evaluate', model, other);
    expect([code, out]).toEqual([0, expect.stringMatching(/positive or negative 0\.500 \[0\.\d+ … 0\.\d+\] of 2/)]);
    const explained = await printed('explain', model, 'good stew');
    expect(explained.out).toMatch(
      /^positive: positive with a probability of 0\.\d{3} \(model .*\n +\+\d\.\d+ {2}positive {2}"/,
    );
  });

  it('prints JSON that fits its schemas', async () => {
    const out = join(folder, 'again.rxtm');
    const lines = file('again.jsonl', reviewLines);
    const train = await printed('train', lines, '--kind', 'sentiment', '--out', out, ...trained, '--json');
    expect(fitting('model-train', train.out)).toMatchObject({ kind: 'sentiment', card: { texts: 24, licence: 'CC0' } });
    const evaluated = await printed('evaluate', model, lines, '--json');
    expect(fitting('model-evaluate', evaluated.out)).toMatchObject({ evaluation: { texts: 24 } });
    const explained = await printed('explain', model, 'bad stew', '--json');
    expect(fitting('model-explain', explained.out)).toMatchObject({ result: { label: 'negative' } });
  });

  it('says which line of which file is wrong, and which file is no model', async () => {
    const train = (name: string, ...lines: string[]) =>
      printed('train', file(name, lines), '--kind', 'sentiment', '--out', model, ...trained);
    expect(await train('a.jsonl', '{"text":"a","label":"positive"}', '{"text":')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^rxflume: RXF_TEXT_DATA: Cannot use .*a\.jsonl:2: it is no JSON/),
    });
    expect((await train('b.jsonl', '{"text":"a"}')).err).toMatch(/b\.jsonl:1: it has no `text` with a `label`/);
    expect((await train('c.csv', 'a,b', '1,2')).err).toMatch(/c\.csv:1: its header has no `text` and `label`/);
    expect((await train('d.csv', 'text,label', '"a\nb",positive', 'c')).err).toMatch(
      /d\.csv:4: it has 1 fields, not 2/,
    );
    expect((await train('e.csv', 'text,label', '"a" b,positive')).err).toMatch(/e\.csv:2: it is no CSV/);
    expect((await printed('explain', join(folder, 'a.jsonl'), 'x')).err).toMatch(/RXF_TEXT_MODEL: .*is no model/);
    expect((await printed('evaluate', model, join(folder, 'none.jsonl'))).err).toMatch(
      /none\.jsonl: it cannot be read/,
    );
  });

  it.each([
    [[], /needs one of `train`, `evaluate`, `explain`/],
    [['trian'], /got `trian`.*train/],
    [['train', 'a.csv', '--kind', 'topics'], /needs `--out`/],
    [['train', 'a.csv', '--kind', 'topic'], /`sentiment` or `topics`, got `topic`/],
    [['evaluate', 'm'], /needs a file of labelled texts/],
    [['explain', 'm', 'a', 'b'], /in quotes; also got `b`/],
    [['explain', 'm', 'a', '--count', '0'], /whole number from 1/],
    [['explain', 'm', 'a', '--seed', '1'], /`model explain` has no option `--seed`/],
  ])('wrong use: %j', (args, message) => {
    expect(() => readArguments(['model', ...args])).toThrow(message);
  });
});
