import type { Payload } from '@curbline/contract';

/** A `message.send` that was recognised by its spelling: nothing of it was parsed, its body is stored as it came. */
export class TextCommand implements Extract<Payload<'message.send'>, { kind: 'text' }> {
  readonly kind = 'text';

  constructor(
    readonly booking_id: string,
    readonly client_id: string,
    /** The body, spelled as `JSON.stringify` would. */
    readonly bodyJson: string,
  ) {}

  get body(): { text: string } {
    return JSON.parse(this.bodyJson) as { text: string };
  }
}
