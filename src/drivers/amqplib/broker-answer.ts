/** The broker's reply when it closes a channel or a connection. */
export interface BrokerAnswer {
  /** AMQP's reply code, such as 404. */
  readonly code: number;
  /** Its own words, such as `NOT_FOUND - no queue 'a' in vhost '/'`. */
  readonly text: string;
}

/** The broker's answer that an error of amqplib carries, in its message only; null where it carries none. */
export function answerIn(error: unknown): BrokerAnswer | null {
  const message = String((error as { message?: unknown } | null)?.message ?? '');
  const found = /\b(\d{3}) \([A-Z-]+\) with message "([\s\S]*)"/.exec(message);
  return found === null ? null : { code: Number(found[1]), text: found[2] as string };
}

/** Whether the broker closed the channel because of something published on it. */
export function isAboutPublishing(error: unknown): boolean {
  const { classId, methodId } = (error ?? {}) as { classId?: unknown; methodId?: unknown };
  return classId === 60 && methodId === 40;
}
