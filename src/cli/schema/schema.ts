import { firstValueFrom } from 'rxjs';
import { describeError } from '../../core/errors.js';
import { shownUrl } from '../../core/text.js';
import type { RegistryAuth } from '../../registry/options.js';
import { registry } from '../../registry/registry.js';
import { isOwn } from '../load-flow.js';
import { schemaSource } from './schema-source.js';

/** What `rxflume schema pull` is asked for. */
export interface SchemaAsked {
  readonly url: string;
  readonly subject: string;
  readonly isJson: boolean;
}

/** What the command is run in: where it prints, and where it takes secrets from. */
export interface SchemaSetting {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Prints the newest schema of a subject, as TypeScript or JSON.
 *
 * Fails: never; exit code 0 printed, 1 the registry does not have it or did not answer, 2 wrong use.
 */
export async function schema(
  { url, subject, isJson }: SchemaAsked,
  { out, err, env }: SchemaSetting,
): Promise<0 | 1 | 2> {
  try {
    const auth = authOf(env);
    const schemas = registry({ url, retry: { maxAttempts: 1 }, ...(auth === undefined ? {} : { auth }) });
    const latest = await firstValueFrom(schemas.latest(subject));
    out.write(isJson ? `${JSON.stringify(latest)}\n` : schemaSource(latest, shownUrl(url)));
    return 0;
  } catch (error) {
    const code = isOwn(error) ? `${error.code}: ` : '';
    err.write(`rxflume: ${code}${describeError(error)}.\n`);
    return isOwn(error) && error.name === 'OptionError' ? 2 : 1;
  }
}

function authOf(env: SchemaSetting['env']): RegistryAuth | undefined {
  const { RXFLUME_REGISTRY_TOKEN: token, RXFLUME_REGISTRY_USER: username, RXFLUME_REGISTRY_PASSWORD: password } = env;
  if (token !== undefined && token !== '') return { token };
  return username === undefined || username === '' ? undefined : { username, password: password ?? '' };
}
