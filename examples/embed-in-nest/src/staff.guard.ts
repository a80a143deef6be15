import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';

/**
 * The shop's global guard. Nest runs it on every route of the application, the chat's REST routes included; those
 * have a guard of their own, so they are let through. Sockets of the chat never come here.
 */
@Injectable()
export class StaffGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const { path, headers } = context
      .switchToHttp()
      .getRequest<{ path: string; headers: Record<string, string | undefined> }>();
    if (path.startsWith('/v1/') || path.startsWith('/health/')) return true;
    return headers['x-staff'] === 'yes';
  }
}
