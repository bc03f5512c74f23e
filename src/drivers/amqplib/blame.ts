import type { ConnectError, SinkError } from '../../core/errors.js';
import type { AmqpOutgoing } from '../../ports/amqp-publisher.js';
import { answerIn } from './broker-answer.js';
import { unsendable } from './errors.js';
import type { MessageLimit } from './limits.js';
import { unroutable } from './unconfirmed.js';

/**
 * Which messages in flight made the broker close a channel: published again, they would close the next one too. A size limit in
 * its reply is remembered.
 */
export function blameIn(error: ConnectError, limit: MessageLimit): (message: AmqpOutgoing) => SinkError | null {
  const text = answerIn(error.cause)?.text ?? '';
  const size = /message size (\d+) is larger than configured max size (\d+)/.exec(text);
  if (size !== null) {
    const [bytes, most] = [Number(size[1]), Number(size[2])];
    limit.learn(most);
    return ({ content }) => (content.length >= bytes ? tooLarge(content.length, most) : null);
  }
  const missing = /no exchange '(.*)' in vhost/.exec(text)?.[1];
  if (missing !== undefined) {
    return (message) => (message.exchange === missing ? unroutable(message, 'the exchange does not exist') : null);
  }
  const user = /user_id property set to '(.*)' but authenticated user was/.exec(text)?.[1];
  return ({ properties }) =>
    user !== undefined && properties.userId === user
      ? unsendable(`its \`userId\` is '${user}', but the broker accepts only the user of the connection`, error.cause)
      : null;
}

export function tooLarge(bytes: number, mostBytes: number): SinkError {
  return unsendable(
    `its ${bytes} bytes exceed the broker's limit of ${mostBytes}. Make it smaller, or raise the ` +
      "broker's `max_message_size` and `maxMessageBytes`",
  );
}
