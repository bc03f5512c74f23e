/**
 * What a login's own process runs. The GSSAPI takes its keytab from the environment only, and waits for a KDC in a thread of the
 * pool that Node's file system needs too: a process can have an environment of its own, and be ended. As a text, so that it runs
 * whether this package is compiled or not. Its argument is where the package `kerberos` is.
 *
 * Messages: `{ id, call, values }`, answered by `{ id, value }` or `{ id, error }`.
 */
export const PROGRAM = `
const calls = {
  begin: async (service, principal) => {
    const { initializeClient, GSS_MECH_OID_SPNEGO: mechOID } = require(process.argv[1]);
    const client = await initializeClient(service, { principal, mechOID });
    return client.step('');
  },
};
process.on('disconnect', () => process.exit());
process.on('message', ({ id, call, values }) => {
  new Promise((resolve) => resolve(calls[call](...values))).then(
    (value) => process.send({ id, value }),
    (error) => process.send({ id, error: String(error?.message ?? error) }),
  );
});
`;
