import { randomBytes } from 'node:crypto';
import { BookingsService, ChatError, TokenVerifier } from '@curbline/server';
import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Configuration } from './configuration.js';

/** Injection token of the configuration. */
export const CONFIGURATION = Symbol('curbline.configuration');

const TOKEN_TTL_S = 3_600;
const FIRST_BOOKING = 'BK-7F3K9';

const driver = {
  id: 'demo-driver-arjun',
  name: 'Arjun S.',
  rating: 4.9,
  vehicle: { make: 'Maruti', model: 'Dzire', color: 'White', plate: 'DL 1C AB 4821' },
  locale: 'hi',
};
const customer = { id: 'demo-customer-meera', name: 'Meera K.', locale: 'en' };

const StatusChange = z.strictObject({ booking_id: z.string().startsWith('BK-').max(32), status: z.string() });

/**
 * What a host's backend would do for the demo page: create the booking, hand out tokens, move the trip on.
 * Development only: these routes give a token to whoever asks.
 */
@Controller('demo')
export class DemoController {
  constructor(
    @Inject(BookingsService) private readonly bookings: BookingsService,
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(CONFIGURATION) private readonly configuration: Configuration,
  ) {}

  @Get('session')
  @Header('Cache-Control', 'no-store')
  session() {
    return this.open(FIRST_BOOKING);
  }

  @Post('session')
  @HttpCode(201)
  @Header('Cache-Control', 'no-store')
  another(@Query('new') fresh: string | undefined) {
    return this.open(fresh === '1' ? `BK-${randomBytes(3).toString('hex').toUpperCase()}` : FIRST_BOOKING);
  }

  @Post('status')
  @HttpCode(200)
  async move(@Body() body: unknown) {
    const parsed = StatusChange.safeParse(body);
    if (!parsed.success)
      throw ChatError.invalid([{ path: '', message: 'booking_id and status are required' }]);
    return this.bookings.patch(parsed.data.booking_id, { status: parsed.data.status });
  }

  private async open(id: string) {
    const { secret } = this.configuration.chat.tokens;
    if (secret === undefined)
      throw new ChatError('not_found', { message: 'The demo needs a shared token secret.' });
    const booking = await this.booking(id);
    const person = async (
      scope: 'driver' | 'customer',
      { id: user_id, name }: { id: string; name: string },
    ) => {
      const { token } = await this.tokens.issue({ user_id, scope, name }, TOKEN_TTL_S);
      return { user_id, name, token };
    };
    return {
      booking_id: id,
      booking,
      driver: await person('driver', driver),
      customer: await person('customer', customer),
    };
  }

  private async booking(id: string) {
    try {
      return await this.bookings.get(id);
    } catch (error) {
      if (!(error instanceof ChatError) || error.code !== 'not_found') throw error;
      return (await this.bookings.put(id, { driver, customer, status: 'accepted' })).booking;
    }
  }
}
