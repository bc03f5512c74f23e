/**
 * Passwords, tokens and certificates: where they come from, and what options take them.
 *
 * @packageDocumentation
 */
export { Secret, type SecretText } from '../core/secret.js';
export type { KerberosLogin } from './kerberos/options.js';
export { secret } from './secret-sources.js';
export type { ServerTlsConfig, TlsConfig, TlsIdentity, TlsPart } from './tls-options.js';
