/** The steps of a trip, in the words of the default policy. */
export const TRIP_STEPS = ['accepted', 'arriving', 'arrived', 'in_progress', 'completed'] as const;
export type TripStep = (typeof TRIP_STEPS)[number];

const KNOWN = [...TRIP_STEPS, 'pending', 'cancelled'] as const;
export type TripStatus = (typeof KNOWN)[number];

export const isTripStatus = (status: string): status is TripStatus =>
  (KNOWN as readonly string[]).includes(status);
