import { BadRequestException, Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { z } from 'zod';

/** The shop's global pipe: a class with a schema is checked by it; everything else is none of its business. */
@Injectable()
export class KnownFieldsPipe implements PipeTransform {
  transform(value: unknown, { metatype }: ArgumentMetadata): unknown {
    const schema: unknown = metatype && 'schema' in metatype ? metatype.schema : undefined;
    if (!(schema instanceof z.ZodType)) return value;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new BadRequestException(z.prettifyError(parsed.error));
  }
}
