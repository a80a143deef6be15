import type { MessageObject, RouteBody, RouteQuery, RouteResult } from '@curbline/contract';
import { Body, Controller, Headers, Inject, Param, Query, Res } from '@nestjs/common';
import { ChatError } from '../chat-error.js';
import { CannedMessages } from '../chat/canned-catalogue.js';
import { HostMessagesService } from '../chat/host-messages.service.js';
import { Input, Route } from './route.js';

const LIST = 'GET /v1/bookings/{booking_id}/messages';
const SEND = 'POST /v1/bookings/{booking_id}/messages';
const MAX_KEY_LENGTH = 255;

/** The log of a booking, as the host reads and writes it. */
@Controller()
export class MessagesController {
  constructor(
    @Inject(HostMessagesService) private readonly messages: HostMessagesService,
    @Inject(CannedMessages) private readonly canned: CannedMessages,
  ) {}

  @Route(LIST)
  list(
    @Param(new Input(LIST, 'params')) { booking_id }: { booking_id: string },
    @Query(new Input(LIST, 'query')) query: RouteQuery<typeof LIST>,
  ): Promise<RouteResult<typeof LIST>> {
    return this.messages.history(booking_id, query);
  }

  @Route(SEND)
  async send(
    @Param(new Input(SEND, 'params')) { booking_id }: { booking_id: string },
    @Body(new Input(SEND, 'body')) body: RouteBody<typeof SEND>,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: { status(code: number): void },
  ): Promise<{ message: MessageObject; duplicate: boolean }> {
    if (key !== undefined && (key === '' || key.length > MAX_KEY_LENGTH)) {
      throw ChatError.invalid([{ path: 'Idempotency-Key', message: `1 to ${MAX_KEY_LENGTH} characters` }]);
    }
    const sent = await this.messages.send(booking_id, body, key);
    if (sent.duplicate) response.status(200);
    return sent;
  }

  @Route('GET /v1/canned')
  catalogue() {
    return this.canned.catalogue;
  }
}
