import { sentence } from '../../core/sentence.js';

/** A login by Kerberos that failed, with what to do next. */
export class KerberosFault extends Error {
  /** It may pass by itself, as where no KDC answers. */
  readonly passes: boolean;

  constructor(message: string, passes: boolean) {
    super(message);
    this.name = 'KerberosFault';
    this.passes = passes;
  }
}

/** What GSSAPI says → what to do, and whether it may pass. The first that fits counts. Source: MIT Kerberos, error tables. */
const ADVICE: readonly (readonly [said: RegExp, next: string, passes: boolean])[] = [
  [
    /clock skew/i,
    'Correct the clock of this machine, or that of the KDC or the server: they may differ by 5 minutes at most',
    true,
  ],
  [
    /cannot (contact|find) (any )?KDC|resolve (network address|servers) for KDC/i,
    'Check that a KDC of the realm runs and is reachable from here, and its address in krb5.conf (`KRB5_CONFIG`)',
    true,
  ],
  [
    /client .*not found in kerberos database|client not found/i,
    'Correct `kerberos.principal`, or create it in the KDC',
    false,
  ],
  [
    /preauthentication failed|password incorrect|decrypt integrity check failed|key version .*not available|keys? .*does not match/i,
    'The key in `kerberos.keytab` is not, or no longer, that of the principal: export the keytab again',
    false,
  ],
  [
    /server .*not found in kerberos database/i,
    'The KDC does not know this service: use the host name that its principal has, or create the principal',
    false,
  ],
  [
    /(client'?s?|server'?s?) (entry in database|.*has been).*(expired|revoked|locked)|credentials have been revoked/i,
    'Unlock or extend the principal in the KDC',
    false,
  ],
  [/tickets? (is )?expired|credentials? .*expired/i, 'Renew the ticket by `kinit`, or set `kerberos.keytab`', true],
  [
    /no (kerberos )?credentials|key ?table|keytab|credential(s)? cache|no suitable key/i,
    'Check that `kerberos.keytab` can be read and has a key of `kerberos.principal`: klist -k',
    false,
  ],
];

/** A failure of GSSAPI, whose text is in `said`, as an error. `doing` is such as `log in as flume@R to HTTP@nn1`. */
export function faultOfGss(doing: string, said: string): KerberosFault {
  const [, next, passes] = ADVICE.find(([pattern]) => pattern.test(said)) ?? [
    null,
    'Look into the log of the KDC, and set KRB5_TRACE=/dev/stderr to see each step',
    false,
  ];
  return new KerberosFault(sentence(`Cannot ${doing}: ${said.replace(/[\s.]+$/, '')}`, next), passes);
}
