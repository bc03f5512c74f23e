import { describe, expect, it } from '@jest/globals';
import { of, Subject } from 'rxjs';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { classify, ModelSlot, trainTextModel } from '../../src/text/index.js';
import { ackedAfter, drawn, shown, taken } from '../operators/marbles.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { CARD, reviews } from './texts.js';

const capitals = { version: 'v1', classify: (text: string) => text.toUpperCase() };
const itself = (value: string) => value;
const result = (_: string, judged: string) => judged;

describe('classify', () => {
  it('is as drawn', () =>
    drawn(({ deliveries, acks$, expectObservable }) => {
      const values = '  -a-b-c-|';
      const expected = '-A-B-C-|';
      const acks = '    --a-b-c-';
      expectObservable(deliveries(values).pipe(classify(capitals, itself, result), ackedAfter(1))).toBe(expected);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds(
    classify(
      { version: '1', classify: (text) => text },
      () => 'x',
      (value: unknown) => value,
    ) as never,
  );

  it('nacks a delivery that the model throws for, or whose text is none, and lives', () =>
    drawn(({ deliveries, acker, nacks$, expectObservable, flush }) => {
      const cause = new Error('no weights');
      const failing = {
        version: '1',
        classify: (text: string) => {
          if (text === 'b') throw cause;
          return text;
        },
      };
      const values = { a: 'a', b: 'b', c: 5 as never, d: 'd' };
      const judged = deliveries<string>('-a-b-c-d-#', values).pipe(classify(failing, itself, result), shown);
      expectObservable(judged).toBe('-a-----d-#');
      expectObservable(nacks$).toBe('---b-c-');
      flush();
      expect(acker.causes.b).toMatchObject({ code: 'RXF_OPERATOR_FAILED', cause });
      expect(acker.causes.c).toMatchObject({ message: expect.stringContaining('returned 5, which is no text') });
      expect(acker.unsettled).toEqual(['a', 'd']);
    }));

  it('keeps origin and acker, and gives a model of ours', () => {
    const model = trainTextModel(reviews(), { kind: 'sentiment', card: CARD, bits: 14 });
    const acker = new RecordingAcker();
    const out = taken(
      of(acker.deliver({ id: 7, text: 'good soup' }, { offset: 40 })).pipe(
        classify(
          model,
          ({ text }) => text,
          ({ id }, { label }, version) => ({ id, label, version }),
        ),
      ),
    );
    const value = { id: 7, label: 'positive', version: model.version };
    expect(out.values).toEqual([expect.objectContaining({ value, seq: 0, acker })]);
    expect(out.values[0]?.origin.offset).toBe(40);
  });

  itSettlesOnce(({ willSettle }) =>
    classify(
      {
        version: '1',
        classify: (text) => {
          if (!text.endsWith('3')) return text;
          willSettle(Number(text), 'nack');
          throw new Error('three');
        },
      },
      (value: number) => String(value),
      (value) => value,
    ),
  );

  it('rejects what is no model, and what is no function', () => {
    expect(() => classify({} as never, itself, itself)).toThrow(OptionError);
    expect(() => classify(capitals, 'text' as never, itself)).toThrow('Expected `textOf` to be a function');
    expect(() => classify(capitals, itself, 5 as never)).toThrow('Expected `project` to be a function');
  });
});

describe('ModelSlot', () => {
  it('swaps the model of a running flow: each value has one result, with the version that gave it', () => {
    const slot = new ModelSlot(capitals);
    const acker = new RecordingAcker();
    const values$ = new Subject<Delivery<string>>();
    const seen: string[] = [];
    values$.pipe(classify(slot, itself, (_, judged, version) => `${judged} ${version}`)).subscribe((delivery) => {
      seen.push(delivery.value);
      delivery.ack();
    });
    for (let n = 0; n < 100; n += 1) {
      if (n === 40) slot.swap({ version: 'v2', classify: (text) => `${text}!` });
      if (n === 41) expect(() => slot.swap({ version: 'v3' } as never)).toThrow(OptionError);
      values$.next(acker.deliver(`t${n}`));
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => (n < 40 ? `T${n} v1` : `t${n}! v2`)));
    expect([acker.acks.length, acker.unsettled]).toEqual([100, []]);
  });
});
