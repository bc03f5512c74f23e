/** Whether a connection failed in its TLS handshake, by Node's error code. Such a failure is permanent. */
export function isTlsFault(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|EPROTO$|ERR_OSSL_)/.test(
    String(code),
  );
}

const NO_TLS = /wrong version number|packet length too long|unknown protocol|http request/i;
/** What the other side says of the certificate that we have, or have not, sent. */
const CERTIFICATE_REJECTED =
  /alert (?:bad certificate|certificate (?:required|unknown|expired|revoked)|unknown ca|handshake failure|unsupported certificate)|ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|HANDSHAKE_FAILURE|UNSUPPORTED_CERTIFICATE)/i;
const OTHER_VERSION = /UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|alert protocol version/;
const UNKNOWN_ISSUER = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;

/**
 * What to do about such a fault; `ca` is the option that takes certificates of authorities, `withoutTls` how to ask for a
 * plain connection.
 */
export function tlsAdvice(error: unknown, ca: string, withoutTls = 'write `http:`'): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (NO_TLS.test(String(message)))
    return `The server on this port does not speak TLS: correct the port, or ${withoutTls}`;
  if (UNKNOWN_ISSUER.test(String(code))) return `Pass the certificate of the authority that signed it in \`${ca}\``;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return 'Its certificate is for another name: use a name that the certificate covers, or correct the certificate';
  }
  if (code === 'CERT_HAS_EXPIRED') return 'Renew its certificate, or correct the clock of this machine';
  if (code === 'CERT_NOT_YET_VALID') return 'Wait until its certificate is valid, or correct the clock of this machine';
  if (code === 'CERT_REVOKED') return 'Its certificate was revoked: replace it';
  const said = `${code} ${message}`;
  if (CERTIFICATE_REJECTED.test(said)) {
    const own = ca.replace(/ca$/, '');
    return `The server rejects the certificate of this client, or requires one: pass one in \`${own}cert\` and \`${own}key\` that its authority has signed and that has not expired`;
  }
  if (OTHER_VERSION.test(said)) return 'The two sides have no version of TLS in common: see `tls.minVersion`';
  return `Check its certificate, and the options next to \`${ca}\``;
}

/** A hint if a peer closed the connection instead of completing the TLS handshake, as one without TLS does; else empty. */
export function plainPortHint(reason: string, withoutTls: string): string {
  return reason.includes('before secure TLS connection was established')
    ? ` The server on this port may not speak TLS: correct the port, or ${withoutTls}.`
    : '';
}
