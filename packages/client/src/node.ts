/**
 * What the SDK offers to Node beside the main entry.
 *
 * @packageDocumentation
 */
export { fileOutbox } from './file-outbox.js';
