/**
 * The capacity that a flow needs: how many processes, which window, how many files, from what was measured of it. Pure functions.
 *
 * @packageDocumentation
 */
export { type Estimate, exactly, type Interval, isNotMeasured, meanOf, type NotMeasured } from './estimate.js';
export { littleConcurrency } from './little.js';
export { type Plan, type PlanEstimates, plan } from './plan.js';
export { type CpuPart, PLAN_DEFAULTS, type PlanInputs } from './plan-inputs.js';
export { type SeedThroughput, seedThroughput } from './seed-throughput.js';
export { type BoundedScaling, type FittedScaling, type Scaling, type ScalingPoint, usl } from './usl.js';
