import type { Secret } from '../../core/secret.js';

/** As kafkajs takes what it logs in with. */
export type ForeignSasl = Record<string, unknown> & { readonly mechanism: string };

/** How to log in, with secrets as they are at each login. */
export interface Sasl {
  readonly mechanism: string;
  login(): Promise<ForeignSasl>;
}

/** `fields` are those of kafkajs that are no secrets, `secrets` by the names that kafkajs has for them, and `token`. */
export function saslOf(
  mechanism: string,
  fields: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, Secret>>,
): Sasl {
  const login = async (): Promise<ForeignSasl> => {
    const read = await Promise.all(
      Object.entries(secrets).map(async ([name, secret]) => [name, await secret.value()] as const),
    );
    const { token, ...others } = Object.fromEntries(read);
    const bearer = { value: token, extensions: fields.extensions };
    return {
      ...fields,
      ...others,
      mechanism,
      ...(token !== undefined && { oauthBearerProvider: async () => bearer }),
    };
  };
  return { mechanism, login };
}
