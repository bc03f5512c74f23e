import type { DriverLog } from '../driver-log.js';
import type { Cluster, ForeignAssigner, Internals } from '../vendor/internals.js';

export interface SharingMember {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/** The partitions of one member, by topic. */
export type Share = Readonly<Record<string, readonly number[]>>;

/**
 * Shares partitions out in turn, each among the members that subscribe to its topic; what nobody subscribes to goes to
 * nobody.
 *
 * Source: Kafka's RoundRobinAssignor.
 */
export function shareOut(
  members: readonly SharingMember[],
  partitionsOf: (topic: string) => readonly number[],
): ReadonlyMap<string, Share> {
  const inOrder = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map<string, Record<string, number[]>>(
    inOrder.map(({ memberId }) => [memberId, Object.create(null)]),
  );
  let turn = 0;
  for (const topic of [...new Set(members.flatMap(({ topics }) => topics))].sort()) {
    for (const partition of partitionsOf(topic)) {
      // One of them subscribes to it: that is where the topic is from.
      while (!inOrder[turn % inOrder.length]?.topics.includes(topic)) turn += 1;
      const { memberId } = inOrder[turn % inOrder.length] as SharingMember;
      const share = shares.get(memberId) as Record<string, number[]>;
      share[topic] = [...(share[topic] ?? []), partition];
      turn += 1;
    }
  }
  return shares;
}

/**
 * kafkajs's round robin, by the topics that each member asks for. kafkajs's own goes by those of the group's leader: where
 * members differ, as in a rolling update that adds a topic, some topics are read by nobody.
 */
export function byOwnTopics(internals: Internals, cluster: Cluster, driverLog: DriverLog): ForeignAssigner {
  const stock = internals.roundRobin({ cluster });
  const { MemberAssignment, MemberMetadata } = internals.assignerProtocol;
  return {
    ...stock,
    assign: async ({ members }) => {
      const sharing = members.map(({ memberId, memberMetadata }) => ({
        memberId,
        topics: MemberMetadata.decode(memberMetadata).topics,
      }));
      const all = [...new Set(sharing.flatMap(({ topics }) => topics))];
      await cluster.addMultipleTargetTopics(all);
      const partitionsOf = (topic: string) => {
        const known = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        if (known.length === 0)
          driverLog.skipped(`Topic ${topic}, which members of the group subscribe to, has no visible partition.`);
        return known.sort((a, b) => a - b);
      };
      return [...shareOut(sharing, partitionsOf)].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version: stock.version, assignment }),
      }));
    },
  };
}
