import type { Secret } from '../../core/secret.js';

/** As kafkajs takes what it logs in with. */
export type ForeignSasl = Record<string, unknown> & { readonly mechanism: string };

/** How to log in, with secrets as they are at each login. */
export interface Sasl {
  readonly mechanism: string;
  login(): Promise<ForeignSasl>;
}

/** What a provider of kafkajs sends messages with; each has its size before it. */
interface Exchange {
  saslAuthenticate(message: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: { decode(raw: Buffer): Promise<Buffer>; parse(challenge: Buffer): Promise<Buffer> };
  }): Promise<Buffer>;
}

const SIZE_BYTES = 4;

/**
 * OAUTHBEARER. kafkajs takes a broker's rejection of a token, which is a challenge, for a success, and sees the connection lost next.
 *
 * Source: RFC 7628, section 3.
 */
function bearer(token: string, extensions: unknown) {
  const pairs = Object.entries((extensions ?? {}) as Record<string, string>).map(
    ([name, value]) => `\x01${name}=${value}`,
  );
  const message = Buffer.from(`n,,\x01auth=Bearer ${token}${pairs.join('')}\x01\x01`);
  const sized = Buffer.concat([Buffer.alloc(SIZE_BYTES), message]);
  sized.writeInt32BE(message.length);
  return ({ saslAuthenticate }: Exchange) => ({
    authenticate: async () => {
      const challenge = await saslAuthenticate({
        request: { encode: async () => sized },
        response: { decode: async (raw) => raw.subarray(SIZE_BYTES), parse: async (said) => said },
      });
      if (challenge.length === 0) return;
      const said = /"status"\s*:\s*"([\w-]+)"/.exec(challenge.toString('utf8'))?.[1] ?? 'no reason given';
      const problem = new Error(`SASL OAUTHBEARER authentication failed: the broker rejects the token (${said})`);
      throw Object.assign(problem, { name: 'KafkaJSSASLAuthenticationError', retriable: false });
    },
  });
}

/** `fields` are those of kafkajs that are no secrets, `secrets` by the names that kafkajs has for them, and `token`. */
export function saslOf(
  mechanism: string,
  fields: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, Secret>>,
): Sasl {
  const login = async (): Promise<ForeignSasl> => {
    const reading = Object.entries(secrets).map(async ([name, secret]) => [name, await secret.value()] as const);
    const { token, ...others } = Object.fromEntries(await Promise.all(reading));
    const provider = token === undefined ? {} : { authenticationProvider: bearer(token, fields.extensions) };
    return { ...fields, ...others, ...provider, mechanism };
  };
  return { mechanism, login };
}
