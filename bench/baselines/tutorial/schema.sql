CREATE TABLE drivers (id text PRIMARY KEY, name text NOT NULL, socket_id text, connection_id uuid);
CREATE TABLE customers (id text PRIMARY KEY, name text NOT NULL, socket_id text, connection_id uuid);
CREATE TABLE bookings (
  id text PRIMARY KEY,
  driver_id text NOT NULL REFERENCES drivers,
  customer_id text NOT NULL REFERENCES customers
);
CREATE TABLE connections (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  driver_id text NOT NULL,
  customer_id text NOT NULL
);
CREATE TABLE messages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  booking_id text NOT NULL,
  sender_id text NOT NULL,
  sender_scope text NOT NULL,
  client_id uuid NOT NULL,
  kind text NOT NULL,
  body jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_of_booking ON messages (booking_id, id);
