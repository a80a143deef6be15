import type { Payload, Result } from '@curbline/contract';
import { Inject } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { MessagesService } from '../chat/messages.service.js';
import { ReceiptsService } from '../chat/receipts.service.js';
import type { Printed } from '../printed.js';
import { ChatGateway, OnCommand } from './on-command.js';

@ChatGateway()
export class MessagesGateway {
  constructor(
    @Inject(MessagesService) private readonly messages: MessagesService,
    @Inject(ReceiptsService) private readonly receipts: ReceiptsService,
  ) {}

  @OnCommand('message.send')
  send(
    actor: Actor,
    command: Payload<'message.send'>,
    answerNow?: (answer: Printed<Result<'message.send'>>) => void,
  ) {
    return this.messages.send(actor, command, answerNow);
  }

  @OnCommand('message.list')
  list(actor: Actor, command: Payload<'message.list'>) {
    return this.messages.list(actor, command);
  }

  @OnCommand('receipt.mark')
  mark(actor: Actor, command: Payload<'receipt.mark'>) {
    return this.receipts.mark(actor, command);
  }
}
