import { numeral, object, quoted } from './code.js';
import { instead, to } from './settings.js';
import type { SourceType } from './source-type.js';

const UNLIMITED = 'Number.POSITIVE_INFINITY';

/** The numbers from 0 on, as fast as they are taken. */
export const SEQ_SOURCE: SourceType = {
  rules: { totalEvents: to('`count` of `generateSource`') },
  write({ name, settings }, writing) {
    const total = settings.number('totalEvents', Number.MAX_SAFE_INTEGER);
    const options = object({
      name: quoted(name),
      perSecond: UNLIMITED,
      count: total === Number.MAX_SAFE_INTEGER ? undefined : numeral(total),
    });
    return {
      source: writing.call('inputs', 'generateSource', '(seq) => String(seq)', options),
      steps: [writing.call('operators', 'mapValue', writing.call('flume', 'lineEvent'))],
    };
  },
};

/** One body again and again, for load. */
export const STRESS_SOURCE: SourceType = {
  rules: {
    size: to('the record of `generateSource`'),
    maxTotalEvents: to('`count` of `generateSource`'),
    maxSuccessfulEvents: instead(
      '`count` of `generateSource`: an event that is nacked ends the flow, so all that are made are stored',
    ),
    maxEventsPerSecond: to('`perSecond` of `generateSource`'),
  },
  write({ name, settings }, writing) {
    const rate = settings.number('maxEventsPerSecond', 0);
    const totals = ['maxTotalEvents', 'maxSuccessfulEvents'].map((key) => settings.number(key, -1));
    const total = Math.min(...totals.map((one) => (one < 0 ? Number.POSITIVE_INFINITY : one)));
    // Flume fills a body with the largest byte.
    const body = `Buffer.alloc(${numeral(settings.number('size', 500))}, 0x7f)`;
    const options = object({
      name: quoted(name),
      perSecond: rate > 0 ? numeral(rate) : UNLIMITED,
      count: total === Number.POSITIVE_INFINITY ? undefined : numeral(total),
    });
    return {
      source: writing.call('inputs', 'generateSource', `() => ${body}`, options),
      steps: [writing.call('operators', 'mapValue', writing.call('flume', 'lineEvent'))],
    };
  },
};
