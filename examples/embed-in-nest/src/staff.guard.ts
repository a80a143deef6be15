import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';

/**
 * The shop's global guard. Nest runs it on every route of the application, the chat's included: `/v1` has a guard
 * of its own, so it is let through, and the health routes are kept to staff here. Sockets of the chat never come here.
 */
@Injectable()
export class StaffGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const { path, headers } = context
      .switchToHttp()
      .getRequest<{ path: string; headers: Record<string, string | undefined> }>();
    if (path.startsWith('/v1/')) return true;
    return headers['x-staff'] === 'yes';
  }
}
