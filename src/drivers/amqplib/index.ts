/**
 * RabbitMQ, through the package amqplib.
 *
 * @packageDocumentation
 */
export { amqplib } from './amqplib.js';
export { AMQPLIB_DEFAULTS, type AmqplibOptions } from './options.js';
