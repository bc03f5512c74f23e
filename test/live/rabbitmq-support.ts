import { describe } from '@jest/globals';

/** Skipped where RabbitMQ is not installed, which `npm test` says loudly. */
export const describeRabbitmq = process.env.RXFLUME_RABBITMQ === 'missing' ? describe.skip : describe;
