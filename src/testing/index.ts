export { MemoryFlume, type MemoryFlumeOptions } from './memory-flume.js';
export { MemoryKafka, type MemoryKafkaOptions, type MemoryRecord, type SeenCommit } from './memory-kafka.js';
export { RecordingDuty, type Settlement } from './recording-duty.js';
