import type { CodeOf } from '../../core/error-codes.js';
import { ConnectError, describeError, SinkError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import { isTlsFault, plainPortHint, tlsAdvice } from '../../core/tls-fault.js';
import type { Address } from './address.js';
import { answerIn, type BrokerAnswer } from './broker-answer.js';

/** Where something was asked: the broker, and the thing it was about, such as ``queue `a` ``. */
export interface ErrorContext {
  readonly broker: Address;
  readonly about: string;
}

/** An error with which connecting to one broker ended. `answer` is what the broker said, where amqplib kept it to itself. */
export function handshakeError(error: unknown, broker: Address, answer = answerIn(error)): ConnectError {
  const details = { broker: broker.name };
  const extras = { details, cause: error };
  if (error instanceof ConnectError) return error;
  const isExternal = /mechanism EXTERNAL is not provided/.test(describeError(error));
  if (isExternal || (answer?.code === 403 && /EXTERNAL/.test(answer.text))) {
    const message = isExternal
      ? `RabbitMQ at ${broker.name} takes no login by certificate. Enable the plugin rabbitmq_auth_mechanism_ssl and the mechanism EXTERNAL, or correct \`mechanism\`.`
      : `RabbitMQ at ${broker.name} rejects the client certificate: ${shown(answer as BrokerAnswer, broker)}. Create the user that it names, or pass another in \`tls\`.`;
    return new ConnectError('RXF_AMQP_AUTH', message, extras);
  }
  if (answer?.code === 403) {
    return new ConnectError(
      'RXF_AMQP_AUTH',
      `RabbitMQ at ${broker.name} rejects the user or the password. Correct \`user\` and \`password\`, or the URL.`,
      extras,
    );
  }
  if (answer !== null && /vhost .* not found/.test(answer.text)) {
    return new ConnectError(
      'RXF_AMQP_MISSING',
      `RabbitMQ at ${broker.name} has no virtual host '${broker.vhost}'. Create it, or correct \`vhost\` or the URL.`,
      extras,
    );
  }
  if (answer?.code === 530) {
    const isLimit = /limit/.test(answer.text);
    return new ConnectError(
      isLimit ? 'RXF_AMQP_UNREACHABLE' : 'RXF_AMQP_AUTH',
      `RabbitMQ at ${broker.name} denies access to the virtual host '${broker.vhost}': ${shown(answer, broker)}. ` +
        (isLimit ? 'Close connections, or raise the limit.' : 'Grant the user access to it.'),
      extras,
    );
  }
  if (isTlsFault(error)) {
    return new ConnectError(
      'RXF_AMQP_AUTH',
      `Cannot establish a TLS connection to RabbitMQ at ${broker.name}: ${describeError(error)}. ${tlsAdvice(error, 'tls.ca', NO_TLS)}.`,
      extras,
    );
  }
  return unreachable(answer === null ? describeError(error) : shown(answer, broker), broker, error);
}

const NO_TLS = 'write `amqp:`';

/** amqplib's words for a broker that ends a connection without an answer, as one that wants TLS does. */
function tlsPortHint(reason: string, { isTls }: Address): string {
  return !isTls && /closed abruptly during opening handshake|exceeds maxFrameSize/.test(reason)
    ? ' If the port requires TLS, use `amqps:`.'
    : '';
}

export function unreachable(reason: string, broker: Address, cause?: unknown): ConnectError {
  return new ConnectError(
    'RXF_AMQP_UNREACHABLE',
    `Cannot reach RabbitMQ at ${broker.name}: ${reason}. Check the address and that the broker runs.` +
      `${plainPortHint(reason, NO_TLS)}${tlsPortHint(reason, broker)}`,
    { details: { broker: broker.name }, cause },
  );
}

/** None of several brokers could be reached; each says why. */
export function noneReachable(errors: readonly ConnectError[]): ConnectError {
  if (errors.length === 1) return errors[0] as ConnectError;
  return new ConnectError('RXF_AMQP_UNREACHABLE', errors.map((error) => error.message).join(' '), {
    details: { brokers: errors.map((error) => error.details.broker) },
    cause: errors.at(-1),
  });
}

/** An established connection was lost. */
export function lost(reason: string, broker: Address, cause?: unknown): ConnectError {
  return new ConnectError(
    'RXF_AMQP_LOST',
    `The connection to RabbitMQ at ${broker.name} was lost: ${reason}. Unsettled messages are redelivered.`,
    { details: { broker: broker.name }, cause },
  );
}

export function cancelled({ broker, about }: ErrorContext): ConnectError {
  return new ConnectError(
    'RXF_AMQP_CANCELLED',
    `RabbitMQ at ${broker.name} cancelled the consumer of ${about}: the queue was deleted, or is moving to another node. ` +
      'Subscribe again; if it was deleted, recreate it first.',
    { details: { broker: broker.name, about } },
  );
}

/** The broker closed the channel: while something was set up on it, or later (`isSetUp` false). */
export function channelError(error: unknown, context: ErrorContext, isSetUp: boolean): ConnectError {
  const { broker, about } = context;
  const answer = answerIn(error);
  if (answer === null) return lost(describeError(error), broker, error);
  const make = (code: CodeOf<'ConnectError'>, what: string, advice: string, retryable?: boolean) =>
    new ConnectError(code, `RabbitMQ at ${broker.name} ${what}: ${shown(answer, broker)}. ${advice}`, {
      details: { broker: broker.name, about, reply: answer.code },
      cause: error,
      ...(retryable === undefined ? {} : { retryable }),
    });
  if (answer.code === 403 && /exclusive use/.test(answer.text)) {
    return make(
      'RXF_AMQP_AUTH',
      `grants exclusive use of ${about} to another consumer`,
      'Stop that consumer, or wait until it ends.',
      true,
    );
  }
  if (answer.code === 403) {
    const right = /\bexchange\b/.test(answer.text) ? '`write` on the exchange' : '`read` on the queue';
    const advice = `Grant the permission ${right}, and \`configure\` if it is declared: \`rabbitmqctl set_permissions\`.`;
    return make('RXF_AMQP_AUTH', `denies access to ${about}`, advice);
  }
  if (answer.code === 404 && /is down or inaccessible/.test(answer.text)) {
    return make('RXF_AMQP_UNREACHABLE', `cannot reach ${about}`, 'Start the node that hosts it.');
  }
  if (answer.code === 406 && /does not have a replica on the local node/.test(answer.text)) {
    const advice =
      'Its replica there may still be starting; otherwise add one (`rabbitmq-streams add_replica`), or list the nodes that have one.';
    return make('RXF_AMQP_UNREACHABLE', `has no running replica of ${about}`, advice);
  }
  if (answer.code === 404) {
    return make(
      'RXF_AMQP_MISSING',
      `does not have what ${about} requires`,
      'Create it, declare it, or correct the name.',
    );
  }
  if (isSetUp && [405, 406, 503, 540].includes(answer.code)) return mismatch(answer, context, error);
  if (/acknowledgement on channel .* timed out/.test(answer.text)) {
    return make(
      'RXF_AMQP_LOST',
      `closed the channel for ${about}`,
      'Settle sooner, or raise the `consumer_timeout` of the broker.',
    );
  }
  return make('RXF_AMQP_LOST', `closed the channel for ${about}`, 'Unsettled messages are redelivered.');
}

/** Both values, where the broker gives them: `received '6' but current is '5'`. */
function mismatch(answer: BrokerAnswer, { broker, about }: ErrorContext, cause: unknown): ConnectError {
  const found = /inequivalent arg '(.*?)' for (.*?) in vhost '.*': received (.*) but current is (.*)/.exec(answer.text);
  const details = { broker: broker.name, about, reply: answer.code };
  if (found === null) {
    return new ConnectError(
      'RXF_AMQP_MISMATCH',
      `RabbitMQ at ${broker.name} rejects the declaration of ${about}: ${shown(answer, broker)}. Correct it.`,
      { details, cause },
    );
  }
  const [, argument, thing, declared, existing] = found as unknown as [string, string, string, string, string];
  return new ConnectError(
    'RXF_AMQP_MISMATCH',
    `RabbitMQ at ${broker.name} has ${thing} with another setting than declared: its \`${argument}\` is ${valueIn(existing)}, and ` +
      `${valueIn(declared)} is declared. Declare it as it exists, omit it from \`declare\`, or delete it once it is ` +
      'empty. Nothing was changed.',
    { details: { ...details, argument, declared: valueIn(declared), existing: valueIn(existing) }, cause },
  );
}

/** `the value '5' of type 'byte'` and `'5'` are the same. */
function valueIn(text: string): string {
  return /^the value (.*) of type '\w+'$/.exec(text)?.[1] ?? text;
}

export function notEncodable(error: unknown, { broker, about }: ErrorContext): ConnectError {
  return new ConnectError(
    'RXF_AMQP_MISMATCH',
    `RabbitMQ at ${broker.name} cannot be asked for ${about}: ${describeError(error)}. Correct the declaration or the name.`,
    { details: { broker: broker.name, about }, cause: error },
  );
}

export function unconfirmed(reason: string): SinkError {
  return new SinkError(
    'RXF_AMQP_UNCONFIRMED',
    sentence(`RabbitMQ has not confirmed a message, so it may or may not be stored: ${reason}`),
  );
}

/** A message that is not sent, since it would close the channel with everything else in flight. */
export function unsendable(what: string, cause?: unknown): SinkError {
  return new SinkError('RXF_SINK_FORMAT', `A message cannot be sent to RabbitMQ: ${what}.`, { cause });
}

export function strayReturn(broker: Address): ConnectError {
  return lost('it returned a message that is not in flight, so no confirm can be trusted', broker);
}

/** The broker's words on one line, without the user. */
function shown(answer: BrokerAnswer, broker: Address): string {
  const line = answer.text.split(/[\r\n]/, 1)[0] as string;
  return line.slice(0, 500).replaceAll(`user '${broker.user}'`, 'this user').replace(/\.$/, '');
}
