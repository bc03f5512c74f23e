import type { Broker, BrokerPool } from './internals.js';

type MakeRequest = (request: object) => unknown;
type LookUp = (apiKey: number, versions: unknown) => MakeRequest;

/**
 * Has every request name the member (KIP-345). kafkajs's requests of the group take the name, and nothing above them gives it; all
 * others ignore it.
 */
export function nameMember(pool: BrokerPool, groupInstanceId: string): void {
  const { createBroker } = pool;
  pool.createBroker = (options) => {
    const broker = createBroker(options) as Broker & { lookupRequest: LookUp };
    let lookUp = broker.lookupRequest;
    Object.defineProperty(broker, 'lookupRequest', {
      get: (): LookUp => (apiKey, versions) => {
        const make = lookUp(apiKey, versions);
        return (request) => make({ ...request, groupInstanceId });
      },
      // Learnt anew with each connection.
      set: (learnt: LookUp) => {
        lookUp = learnt;
      },
    });
    return broker;
  };
}
