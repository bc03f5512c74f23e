import * as t from 'io-ts';

/** What a record of the bench is, as an application would write it. */
export const Message = t.type({
  n: t.number,
  at: t.number,
  lang: t.union([t.literal('en'), t.literal('zh')]),
  user: t.string,
  text: t.string,
});

export type Message = t.TypeOf<typeof Message>;
