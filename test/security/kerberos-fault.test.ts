import { describe, expect, it } from '@jest/globals';
import { faultOfGss } from '../../src/security/kerberos/fault.js';

const GSS = 'Unspecified GSS failure.  Minor code may provide more information';

describe('what GSSAPI says of a login', () => {
  it.each([
    ['Clock skew too great', /Correct the clock/, true],
    ["Cannot contact any KDC for realm 'EXAMPLE.COM'", /Check that a KDC of the realm runs/, true],
    ["Client 'flume@EXAMPLE.COM' not found in Kerberos database", /Correct `kerberos.principal`/, false],
    ['Preauthentication failed', /export the keytab again/, false],
    ['Server HTTP/nn1@EXAMPLE.COM not found in Kerberos database', /does not know this service/, false],
    ["Client's credentials have been revoked", /Unlock or extend the principal/, false],
    ['Ticket expired', /Renew the ticket/, true],
    ['Key table file "/x" not found', /klist -k/, false],
    ['something new', /KRB5_TRACE/, false],
  ])('%s', (said, next, passes) => {
    const fault = faultOfGss('log in as flume@EXAMPLE.COM to HTTP@nn1', `${GSS}: ${said}`);
    expect(fault.message).toMatch(
      new RegExp(`^Cannot log in as flume@EXAMPLE.COM to HTTP@nn1: .*${said.slice(-12).replace(/[()]/g, '.')}\\.`),
    );
    expect(fault.message).toMatch(next);
    expect(fault.passes).toBe(passes);
  });
});
