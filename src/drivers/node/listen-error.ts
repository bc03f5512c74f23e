import { ConnectError, describeError } from '../../core/errors.js';

/**
 * Why a server cannot listen at an address, `host:port` or a path, and what to do.
 *
 * Source: Node, "Common system errors".
 */
export function listenError(address: string, cause: Error): ConnectError {
  const { code } = cause as NodeJS.ErrnoException;
  const isPath = address.includes('/');
  const next =
    code === 'EACCES'
      ? isPath
        ? 'Give this process the right to write to the folder.'
        : 'A port below 1,024 needs the capability CAP_NET_BIND_SERVICE; or take another port.'
      : isPath
        ? 'Check that the folder exists, and that no other program has the path.'
        : 'Check that no other program has the port, and that the address is this machine’s.';
  return new ConnectError('RXF_SOURCE_LISTEN', `Cannot listen at ${address}: ${describeError(cause)}. ${next}`, {
    details: { address },
    cause,
  });
}
