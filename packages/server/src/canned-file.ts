import type { CannedCatalogue } from '@curbline/contract';
import { z } from 'zod';

const Param = z
  .strictObject({
    type: z.literal('integer'),
    min: z.int(),
    max: z.int(),
    unit: z.literal('minute').exactOptional(),
  })
  .refine(({ min, max }) => min <= max, { message: 'min is above max' });

const Entry = z
  .strictObject({
    params: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), Param).default({}),
    /** By language (BCP 47), with `{name}` where a parameter goes. */
    text: z.record(z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/), z.string().min(1).max(500)),
  })
  .check((entry) => {
    const { params, text } = entry.value;
    const complain = (message: string, ...path: string[]) =>
      entry.issues.push({ code: 'custom', message, path, input: entry.value });
    if (Object.keys(text).length === 0) complain('at least one language', 'text');
    for (const [language, words] of Object.entries(text)) {
      const named = new Set([...words.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? ''));
      for (const name of Object.keys(params))
        if (!named.has(name)) complain(`{${name}} is missing`, 'text', language);
      for (const name of named)
        if (!Object.hasOwn(params, name)) complain(`{${name}} is no parameter`, 'text', language);
    }
  });

/** Key → parameters and texts: the shape of `CURBLINE_CANNED_FILE`. */
export const CannedCatalogueSchema: z.ZodType<CannedCatalogue> = z
  .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), Entry)
  .refine((entries) => Object.keys(entries).length > 0, { message: 'at least one key' });
