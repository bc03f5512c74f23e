import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { HostPort } from '../../core/address.js';
import { Deflated } from './deflated.js';
import type { ClientSettings, ServerSettings, Wire } from './options.js';

/** Probes a peer that says nothing, so that one that vanished is found. */
const PROBE_SILENT_PEER_MS = 30_000;

/**
 * A connection to an agent with what the options wrap around it. `ready` is called when bytes can be sent; a failure
 * before or after is an `error` of the connection.
 */
export function dial({ host, port }: HostPort, settings: ClientSettings, ready: () => void): Duplex {
  const { tls } = settings;
  const socket = connectTcp({ host, port });
  tune(socket);
  if (tls === null) {
    socket.once('connect', ready);
    return deflated(socket, settings);
  }
  return layered(socket, settings, (below) => connectTls({ host, ...tls.connection(host), socket: below }, ready));
}

/** A client's connection as the server reads it. Where there is TLS, `secured` is called after its handshake. */
export function welcome(socket: Socket, settings: ServerSettings, secured: () => void): Duplex {
  const { certificate } = settings;
  tune(socket);
  if (certificate === null) return deflated(socket, settings);
  return layered(socket, settings, (below) => {
    const tlsSocket = new TLSSocket(below, { isServer: true, secureContext: certificate.context });
    tlsSocket.once('secure', secured);
    return tlsSocket;
  });
}

function layered(socket: Socket, wire: Wire, secure: (below: Duplex) => TLSSocket): Duplex {
  const isOutside = wire.deflateOrder === 'outside-tls';
  return isOutside ? secure(deflated(socket, wire)) : deflated(secure(socket), wire);
}

function deflated(below: Duplex, wire: Wire): Duplex {
  return wire.compression === 'deflate' ? new Deflated(below, wire.compressionLevel) : below;
}

function tune(socket: Socket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, PROBE_SILENT_PEER_MS);
}
