import { routes, type Route as ContractRoute, type RouteName } from '@curbline/contract';
import {
  applyDecorators,
  HttpCode,
  RequestMapping,
  RequestMethod,
  UseFilters,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { z } from 'zod';
import { ApiKeyGuard } from '../auth/api-keys.js';
import { parseInput } from '../input.js';
import { ProblemFilter } from './problem.filter.js';

/** Serves a route of the contract: its method, path, status and who may call come from the table. */
export function Route(name: RouteName): MethodDecorator {
  const [method, path] = name.split(' ') as [keyof typeof RequestMethod, string];
  const { auth, status, query }: ContractRoute = routes[name];
  return applyDecorators(
    RequestMapping({ method: RequestMethod[method], path: path.replaceAll(/\{(\w+)\}/g, ':$1') }),
    HttpCode(status),
    UseFilters(ProblemFilter),
    ...(auth === 'api_key' ? [UseGuards(ApiKeyGuard)] : []),
    // Probes and balancers may add what they like to the address of a health route.
    ...(path.startsWith('/v1/') && query === undefined ? [UseGuards(new NoQuery())] : []),
  );
}

const nothing = z.strictObject({});

/** For routes that take no query: what is unknown is refused, as everywhere. */
class NoQuery implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { query } = context.switchToHttp().getRequest<{ query: object }>();
    parseInput(nothing, { ...query });
    return true;
  }
}

/** Parses one part of a request by the contract's schema of its route. */
export class Input implements PipeTransform {
  constructor(
    private readonly route: RouteName,
    private readonly part: 'body' | 'query' | 'params',
  ) {}

  transform(value: unknown): unknown {
    const row: ContractRoute = routes[this.route];
    const schema = row[this.part];
    if (!schema) throw new Error(`${this.route} has no ${this.part} in the contract`);
    // Express hands over objects without a prototype and an absent body as undefined.
    return parseInput(schema, this.part === 'body' ? value : { ...(value as object) });
  }
}
