import type { ErrorCode } from '../../core/error-codes.js';
import { SinkError } from '../../core/errors.js';
import { shownUrl } from '../../core/text.js';
import type { HttpAnswer } from '../../ports/http-client.js';
import type { HttpPayload } from './request.js';
import { withoutSecrets } from './request-parts.js';
import type { Verdict } from './verdict.js';

/** The request that was answered. */
export interface Answered {
  readonly method: string;
  readonly batch: HttpPayload;
  /** The headers of the caller's, whose values are in no message. */
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: HttpAnswer;
}

/** With what a batch is nacked after an answer that is no yes. */
export function nackErrorOf(verdict: Exclude<Verdict, { what: 'taken' | 'halve' }>, answered: Answered): SinkError {
  const { answer } = answered;
  const why = verdict.what === 'rejected' ? verdict.why : undefined;
  const [code, advice] = ADVICE[verdict.what](answer);
  const said = why ?? excerptOf(answered);
  const message = `${subjectOf(answered)}${said === '' ? ', without a word' : `: ${said}`}. ${advice}`;
  const { to, stream, firstOffset, lastOffset, size: values } = answered.batch;
  return new SinkError(code, message, {
    details: { url: shownUrl(to), status: answer.status, stream, firstOffset, lastOffset, values },
  });
}

type RejectionCode = Extract<ErrorCode, `RXF_HTTP_${'UNAVAILABLE' | 'REJECTED' | 'TOO_LARGE' | 'DENIED' | 'REDIRECT'}`>;

const ADVICE: Record<
  Exclude<Verdict['what'], 'taken' | 'halve'>,
  (answer: HttpAnswer) => readonly [RejectionCode, string]
> = {
  again: () => ['RXF_HTTP_UNAVAILABLE', 'It was tried as often as `retry` allows; the values are redelivered.'],
  rejected: () => ['RXF_HTTP_REJECTED', 'Correct what is at fault, or set such values aside with `deadLetter`.'],
  tooLarge: () => [
    'RXF_HTTP_TOO_LARGE',
    'It is one value alone: make it smaller, set it aside with `deadLetter`, or raise the limit there.',
  ],
  denied: () => ['RXF_HTTP_DENIED', 'It would say so to any value: check `url`, `method`, `headers` and `body`.'],
  elsewhere: ({ headers }) => {
    const to = headers.location === undefined ? 'and does not say where' : `to ${shownLocation(headers.location)}`;
    return [
      'RXF_HTTP_REDIRECT',
      `It points elsewhere, ${to}. Redirects are not followed: give the final address as \`url\`.`,
    ];
  },
};

function subjectOf({ method, batch, answer }: Answered): string {
  const { to, stream, firstOffset, lastOffset, size: values } = batch;
  const what = values === 1 ? `offset ${firstOffset}` : `${values} values, offsets ${firstOffset} to ${lastOffset}`;
  return `${method} ${shownUrl(to)} answered ${answer.status} to ${what} of ${stream}`;
}

/** The beginning of what the server said, on one line, in quotes. */
function excerptOf({ answer, batch, headers }: Answered): string {
  const text = withoutSecrets(answer.excerpt.slice(0, 2_000), batch.to, headers);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal must not obey what a server says
  const line = text.replace(/[\s\x00-\x1f\x7f-\x9f\ufffd]+/g, ' ').trim();
  if (line === '') return '';
  return JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line);
}

function shownLocation(location: string): string {
  // Relative ones are a path; what follows it may be a secret.
  return /^[a-z]+:/i.test(location)
    ? shownUrl(location)
    : JSON.stringify(location.replace(/[?#].*$/s, '').slice(0, 200));
}
