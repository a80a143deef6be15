import type { BookingView, RouteBody, RouteQuery, RouteResult } from '@curbline/contract';
import { Body, Controller, Inject, Param, Query, Res } from '@nestjs/common';
import { BookingsService } from '../chat/bookings.service.js';
import { Input, Route } from './route.js';

const PUT = 'PUT /v1/bookings/{booking_id}';
const PATCH = 'PATCH /v1/bookings/{booking_id}';
const GET = 'GET /v1/bookings/{booking_id}';
const LIST = 'GET /v1/bookings';

/** Bookings, as the host writes and reads them. */
@Controller()
export class BookingsController {
  constructor(@Inject(BookingsService) private readonly bookings: BookingsService) {}

  @Route(PUT)
  async put(
    @Param(new Input(PUT, 'params')) { booking_id }: { booking_id: string },
    @Body(new Input(PUT, 'body')) body: RouteBody<typeof PUT>,
    @Res({ passthrough: true }) response: { status(code: number): void },
  ): Promise<BookingView> {
    const { created, booking } = await this.bookings.put(booking_id, body);
    if (created) response.status(201);
    return booking;
  }

  @Route(PATCH)
  patch(
    @Param(new Input(PATCH, 'params')) { booking_id }: { booking_id: string },
    @Body(new Input(PATCH, 'body')) body: RouteBody<typeof PATCH>,
  ): Promise<BookingView> {
    return this.bookings.patch(booking_id, body);
  }

  @Route(GET)
  get(@Param(new Input(GET, 'params')) { booking_id }: { booking_id: string }): Promise<BookingView> {
    return this.bookings.get(booking_id);
  }

  @Route(LIST)
  list(@Query(new Input(LIST, 'query')) query: RouteQuery<typeof LIST>): Promise<RouteResult<typeof LIST>> {
    return this.bookings.page(query);
  }
}
