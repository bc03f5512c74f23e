import type { Broker, BrokerPool } from './internals.js';

type MakeRequest = (request: GroupRequest) => unknown;
type LookUp = (apiKey: number, versions: unknown) => MakeRequest;

/** What kafkajs makes a request of; those of a group name the member. */
interface GroupRequest {
  readonly memberId?: string;
  readonly groupInstanceId?: string;
}

/** The number of the request by which a member joins, by the classic protocol. */
const JOIN_GROUP = 11;

/** What the requests of one member are to say and to show. */
export interface MemberRequests {
  /** Each request says it (KIP-345); undefined where the member is not a static one. */
  readonly groupInstanceId: string | undefined;
  /** Is called with the id by which a member asks to join, once it has one (KIP-394), before the group answers. */
  readonly joining: (memberId: string) => void;
}

/**
 * Has every request name a static member, and shows by which id a member joins. kafkajs's requests of the group take the name, and nothing
 * above them gives it; all others ignore it. kafkajs keeps an id to itself until the group has answered.
 */
export function watchMember(pool: BrokerPool, { groupInstanceId, joining }: MemberRequests): void {
  const { createBroker } = pool;
  pool.createBroker = (options) => {
    const broker = createBroker(options) as Broker & { lookupRequest: LookUp };
    let lookUp = broker.lookupRequest;
    Object.defineProperty(broker, 'lookupRequest', {
      get: (): LookUp => (apiKey, versions) => {
        const make = lookUp(apiKey, versions);
        return (request) => {
          if (apiKey === JOIN_GROUP && request.memberId) joining(request.memberId);
          return make({ ...request, ...(groupInstanceId !== undefined && { groupInstanceId }) });
        };
      },
      // Learnt anew with each connection.
      set: (learnt: LookUp) => {
        lookUp = learnt;
      },
    });
    return broker;
  };
}
