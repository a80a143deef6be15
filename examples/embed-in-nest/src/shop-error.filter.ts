import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';

interface Response {
  status(code: number): Response;
  json(body: unknown): void;
}

/** The shop's global filter: its own format for its own errors. The chat's routes keep `application/problem+json`. */
@Catch()
export class ShopErrorFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') return;
    const status = thrown instanceof HttpException ? thrown.getStatus() : 500;
    const why = thrown instanceof HttpException ? thrown.message : 'something went wrong in the shop';
    host.switchToHttp().getResponse<Response>().status(status).json({ ok: false, why });
  }
}
