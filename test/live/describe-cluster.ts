import { describe } from '@jest/globals';
import { hasClusters } from './cluster.js';

/** Skipped for who is not root, and cannot create network namespaces. */
export const describeCluster = hasClusters ? describe : describe.skip;
