import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port in front of a broker, whose connections can be cut, or fall silent without an end. */
export class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  private constructor(port: number, host: string) {
    this.#server = createServer((inner) => {
      const outer = connect({ host, port });
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          if (this.#isSilent || to.destroyed) return;
          // What the other side takes slowly is not read.
          if (!to.write(bytes)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
        });
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          to.end();
        });
      }
    });
  }

  static async before(url: URL): Promise<Door> {
    const door = new Door(Number(url.port), url.hostname);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#isSilent = false;
  }

  /** From now on nothing passes, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
