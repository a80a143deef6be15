import { BookingsService, TokenVerifier } from '@curbline/server';
import { Body, Controller, Get, NotFoundException, Param, Post } from '@nestjs/common';
import { z } from 'zod';

const TOKEN_TTL_S = 3_600;

/** What the shop's pipe checks: any class with a schema. */
export class OrderRide {
  static readonly schema = z.strictObject({ customer: z.string().min(1), driver: z.string().min(1) });
  declare readonly customer: string;
  declare readonly driver: string;
}

interface Ride {
  id: string;
  customer: string;
  driver: string;
}

/** The shop's own business. A ride is a booking of the chat: same process, no HTTP call in between. */
@Controller('rides')
export class RidesController {
  private readonly rides = new Map<string, Ride>();

  constructor(
    private readonly bookings: BookingsService,
    private readonly tokens: TokenVerifier,
  ) {}

  /** Orders a ride, and gives both people what they need to talk about it. */
  @Post()
  async order(@Body() { customer, driver }: OrderRide) {
    const id = `ride-${crypto.randomUUID()}`;
    this.rides.set(id, { id, customer, driver });
    await this.bookings.put(id, { driver: { id: driver }, customer: { id: customer }, status: 'accepted' });
    const token = async (scope: 'driver' | 'customer', user_id: string) =>
      (await this.tokens.issue({ user_id, scope }, TOKEN_TTL_S)).token;
    return {
      ok: true,
      ride: id,
      tokens: { driver: await token('driver', driver), customer: await token('customer', customer) },
    };
  }

  @Get(':id')
  async show(@Param('id') id: string) {
    const ride = this.rides.get(id);
    if (!ride) throw new NotFoundException(`no ride ${id}`);
    const { chat, last_seq } = await this.bookings.get(id);
    return { ok: true, ride, chat, messages: last_seq };
  }
}
