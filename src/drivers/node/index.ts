/**
 * On Node's own modules, servers: HTTP for `httpSource`; TCP, TLS, UDP and unix sockets for `netSource` and `syslogSource`; commands for
 * `execSource`.
 *
 * @packageDocumentation
 */
export { commandRunner } from './command-runner.js';
export { type HttpAuth, NODE_HTTP_SERVER_DEFAULTS, type NodeHttpServerOptions } from './http-options.js';
export { nodeHttpServer } from './http-server.js';
export type { ListenOptions, ServerTls } from './listen-options.js';
export {
  TCP_SERVER_DEFAULTS,
  type TcpServerOptions,
  UDP_SERVER_DEFAULTS,
  type UdpServerOptions,
  UNIX_SERVER_DEFAULTS,
  type UnixServerOptions,
} from './socket-options.js';
export { tcpServer, unixServer } from './stream-server.js';
export { udpServer } from './udp-server.js';
