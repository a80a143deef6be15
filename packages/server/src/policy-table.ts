import { z } from 'zod';

const Rights = z.enum(['send', 'read', 'none']).meta({
  description: '`send` includes reading; `none` closes the chat for that role',
});
const Rule = z.strictObject({
  driver: Rights,
  customer: Rights,
  /** After the grace period the role may only read. */
  closing: z.boolean().default(false),
});

/** Status word of the host → what each role may do. The shape of `CURBLINE_POLICY_FILE`. */
export const PolicyTableSchema = z.strictObject({
  statuses: z
    .record(z.string().min(1).max(64), Rule)
    .refine((statuses) => Object.keys(statuses).length > 0, { message: 'at least one status' }),
});
export type PolicyTable = z.input<typeof PolicyTableSchema>;

/** What one status allows. */
export type PolicyRule = z.output<typeof Rule>;
