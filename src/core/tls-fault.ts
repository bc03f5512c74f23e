/** Whether a connection failed in its TLS, by the code that Node gives the error. Such a fault does not pass by itself. */
export function isTlsFault(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|EPROTO$)/.test(
    String(code),
  );
}

const NO_TLS = /wrong version number|packet length too long|unknown protocol|http request/i;
const UNKNOWN_ISSUER = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;

/**
 * What to do about such a fault; `ca` is the option that takes certificates of authorities, `withoutTls` how to ask for a
 * plain connection.
 */
export function tlsAdvice(error: unknown, ca: string, withoutTls = 'write `http:`'): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (NO_TLS.test(String(message))) return `What listens there speaks no TLS: correct the port, or ${withoutTls}`;
  if (UNKNOWN_ISSUER.test(String(code))) return `Give the certificate of the authority that signed it in \`${ca}\``;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return 'Its certificate is for another name: use a name that it has, or correct the certificate';
  }
  if (code === 'CERT_HAS_EXPIRED') return 'Renew its certificate';
  return `Check its certificate, and the options beside \`${ca}\``;
}

/** A sentence where a peer ended the connection instead of answering TLS's greeting, as one without TLS does; else empty. */
export function plainPortHint(reason: string, withoutTls: string): string {
  return reason.includes('before secure TLS connection was established')
    ? ` What listens there may speak no TLS: correct the port, or ${withoutTls}.`
    : '';
}
